// SPDX-License-Identifier: Apache-2.0
// java PkixRevocation.java ocsp|crl ROOTS LEAF [ISSUER]: what Java's own checker says of the leaf.

import java.io.FileInputStream;
import java.security.cert.*;
import java.util.*;

public class PkixRevocation {
    static List<X509Certificate> read(String path) throws Exception {
        List<X509Certificate> all = new ArrayList<>();
        try (FileInputStream in = new FileInputStream(path)) {
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                all.add((X509Certificate) one);
            }
        }
        return all;
    }

    public static void main(String[] args) throws Exception {
        List<X509Certificate> path = new ArrayList<>(read(args[2]).subList(0, 1));
        path.add(read(args[3]).get(0));
        Set<TrustAnchor> anchors = new HashSet<>();
        for (X509Certificate root : read(args[1])) {
            anchors.add(new TrustAnchor(root, null));
        }
        System.setProperty("com.sun.security.enableCRLDP", "true");
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        Set<PKIXRevocationChecker.Option> options = EnumSet.of(
            PKIXRevocationChecker.Option.NO_FALLBACK, PKIXRevocationChecker.Option.ONLY_END_ENTITY);
        if (args[0].equals("crl")) {
            options.add(PKIXRevocationChecker.Option.PREFER_CRLS);
        }
        checker.setOptions(options);
        PKIXParameters parameters = new PKIXParameters(anchors);
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
            System.out.println("good");
        } catch (CertPathValidatorException failure) {
            System.out.println(failure.getReason());
        }
    }
}
