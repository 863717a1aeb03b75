// SPDX-License-Identifier: Apache-2.0
//
// java TlsPeer.java client|server < lines of "PORT PKCS12 ROOT", the password being "x".
//
// client: visits each port twice, prints "PORT ANSWER RESUMED" for each visit.
// server: listens on each port, prints "ready", answers a line with "PEER RESUMED". An empty line ends
// the list, the end of input ends the server.
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.CertificateFactory;
import java.util.*;
import javax.net.ssl.*;

public class TlsPeer {
  static SSLContext context(String bundle, String root) throws Exception {
    KeyStore ours = KeyStore.getInstance("PKCS12"), roots = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(Path.of(bundle))) {
      ours.load(in, "x".toCharArray());
    }
    roots.load(null, null);
    try (InputStream in = Files.newInputStream(Path.of(root))) {
      roots.setCertificateEntry("root", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(ours, "x".toCharArray());
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(roots);
    SSLContext made = SSLContext.getInstance("TLSv1.3");
    made.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return made;
  }

  static void visit(int port, SSLContext context) throws Exception {
    long first = 0;
    for (int i = 0; i < 2; i++) {
      try (SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
        s.setEnabledProtocols(new String[] {"TLSv1.3"});
        SSLParameters wanted = s.getSSLParameters();
        wanted.setEndpointIdentificationAlgorithm("HTTPS");
        s.setSSLParameters(wanted);
        s.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
        String answer = new String(s.getInputStream().readAllBytes());
        long made = s.getSession().getCreationTime();
        System.out.println(port + " " + answer.substring(answer.lastIndexOf("\r\n\r\n") + 4).trim()
          + " " + (i > 0 && made == first));
        first = made;
        Thread.sleep(5); // the age of a session is told in milliseconds
      }
    }
  }

  static void serve(SSLServerSocket door) {
    Set<String> known = new HashSet<>();
    while (true) {
      try (SSLSocket s = (SSLSocket) door.accept()) {
        new BufferedReader(new InputStreamReader(s.getInputStream())).readLine();
        SSLSession session = s.getSession();
        String mark = session.getCreationTime() + " " + session.getPeerPrincipal();
        s.getOutputStream().write(
          (session.getPeerPrincipal().getName() + " " + !known.add(mark) + "\n").getBytes());
      } catch (IOException e) {
        System.err.println(door.getLocalPort() + ": " + e);
      }
    }
  }

  public static void main(String[] words) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null && !line.isEmpty();) {
      String[] word = line.split(" ");
      int port = Integer.parseInt(word[0]);
      SSLContext context = context(word[1], word[2]);
      if (words[0].equals("client")) {
        try {
          visit(port, context);
        } catch (IOException e) {
          System.out.println(port + " error " + e);
        }
        continue;
      }
      SSLServerSocket door = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(
        port, 50, InetAddress.getByName("127.0.0.1"));
      door.setEnabledProtocols(new String[] {"TLSv1.3"});
      door.setNeedClientAuth(true);
      Thread thread = new Thread(() -> serve(door));
      thread.setDaemon(true);
      thread.start();
    }
    System.out.println("ready");
    System.out.flush();
    in.readLine();
  }
}
