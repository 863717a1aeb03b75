// SPDX-License-Identifier: Apache-2.0

// tls_peer client|server < lines of "PORT CHAIN KEY ROOT GROUP"
//
// client: visits each port twice, prints "PORT ANSWER RESUMED" for each visit.
// server: listens on each port with this group alone, prints "ready", answers a line with
// "PEER RESUMED". It ends with its input; an empty line ends the list.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
)

var groups = map[string]tls.CurveID{"X25519": tls.X25519, "P-256": tls.CurveP256, "P-384": tls.CurveP384}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func config(words []string) *tls.Config {
	pair, err := tls.LoadX509KeyPair(words[1], words[2])
	must(err)
	pem, err := os.ReadFile(words[3])
	must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: roots, ClientCAs: roots,
		ServerName: "server.example", MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientSessionCache: tls.NewLRUClientSessionCache(4),
	}
}

func visit(port string, config *tls.Config) (string, error) {
	conn, err := tls.Dial("tcp", "127.0.0.1:"+port, config)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.0\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	return fmt.Sprint(strings.TrimSpace(body), " ", conn.ConnectionState().DidResume), nil
}

func answer(conn net.Conn) {
	defer conn.Close()
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		log.Print(err)
		return
	}
	state := conn.(*tls.Conn).ConnectionState()
	fmt.Fprintln(conn, state.PeerCertificates[0].Subject.CommonName, state.DidResume)
}

func serve(words []string) {
	made := config(words)
	made.CurvePreferences = []tls.CurveID{groups[words[4]]}
	door, err := tls.Listen("tcp", "127.0.0.1:"+words[0], made)
	must(err)
	go func() {
		for {
			conn, err := door.Accept()
			must(err)
			go answer(conn)
		}
	}()
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() && in.Text() != "" {
		words := strings.Fields(in.Text())
		if os.Args[1] == "server" {
			serve(words)
			continue
		}
		made := config(words)
		// Its own order would do, but for a fault of Go 1.19.6 to 1.19.9 (issue 59424): wrong binders
		// when a HelloRetryRequest answers an offer to resume.
		made.CurvePreferences = []tls.CurveID{groups[words[4]], tls.X25519, tls.CurveP256, tls.CurveP384}
		for i := 0; i < 2; i++ {
			told, err := visit(words[0], made)
			if err != nil {
				told = "error " + err.Error()
			}
			fmt.Println(words[0], told)
		}
	}
	fmt.Println("ready")
	in.Scan()
}
