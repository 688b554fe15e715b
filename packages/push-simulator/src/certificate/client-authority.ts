import { APPLE_ENVIRONMENT } from "../validation/client-certificate.ts";
import { type Environment } from "../validation/provider-token.ts";
import { der } from "./der.ts";
import { createAuthority, extendedKeyUsage, extension, type KeyAndCertificate } from "./issue.ts";

const ASN1_NULL = der(0x05);

/** What a push certificate is for. */
export interface PushCertificate {
  readonly topic: string;
  /** Both if left out. */
  readonly environment?: Environment;
}

/** Stands for Apple's developer portal: issues the certificates providers authenticate with. */
export interface ClientAuthority {
  /** For the option `clientCa`, as PEM. */
  readonly ca: string;
  readonly issue: (certificate: PushCertificate) => KeyAndCertificate;
}

export function createClientAuthority(): ClientAuthority {
  const authority = createAuthority("APNs simulator client CA");
  return {
    ca: authority.cert,
    issue: ({ topic, environment }) => {
      const environments: Environment[] =
        environment === undefined ? ["sandbox", "production"] : [environment];
      return authority.issue({ commonName: `Apple Push Services: ${topic}`, userId: topic }, [
        extendedKeyUsage(2),
        ...environments.map((which) => extension(APPLE_ENVIRONMENT[which], ASN1_NULL)),
      ]);
    },
  };
}
