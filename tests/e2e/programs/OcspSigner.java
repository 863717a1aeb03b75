// SPDX-License-Identifier: Apache-2.0
import java.io.FileReader;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.util.Date;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * OCSP answers by Bouncy Castle: OcspSigner CA.pem CA.key [SERIAL REASON FILE]... writes an answer about
 * each serial number (hexadecimal); REASON is a number, -1: it is good.
 */
public final class OcspSigner {
    private static Object pem(String path) throws Exception {
        try (PEMParser parser = new PEMParser(new FileReader(path))) {
            return parser.readObject();
        }
    }

    public static void main(String[] words) throws Exception {
        X509CertificateHolder issuer = (X509CertificateHolder) pem(words[0]);
        PrivateKey key = new JcaPEMKeyConverter().getPrivateKey((PrivateKeyInfo) pem(words[1]));
        ContentSigner signer = new JcaContentSignerBuilder("SHA256withECDSA").build(key);
        DigestCalculator sha1 = new JcaDigestCalculatorProviderBuilder().build().get(CertificateID.HASH_SHA1);
        Date now = new Date(), later = new Date(now.getTime() + 3600_000), before = new Date(now.getTime() - 3600_000);
        for (int at = 2; at + 2 < words.length; at += 3) {
            int reason = Integer.parseInt(words[at + 1]);
            CertificateStatus status = reason < 0 ? CertificateStatus.GOOD : new RevokedStatus(before, reason);
            BasicOCSPRespBuilder answer = new BasicOCSPRespBuilder(new RespID(issuer.getSubject()));
            answer.addResponse(new CertificateID(sha1, issuer, new BigInteger(words[at], 16)), status, now, later);
            Files.write(Path.of(words[at + 2]), new OCSPRespBuilder().build(OCSPRespBuilder.SUCCESSFUL,
                answer.build(signer, new X509CertificateHolder[] {issuer}, now)).getEncoded());
        }
    }
}
