import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { fromEnv } from "@aws-sdk/credential-providers";
import type { S3Credentials } from "./settings";

type Provider = ReturnType<typeof fromEnv>;

/** The part of a client's configuration that says who asks. @param region for a role to be assumed */
export function credentialsFor(credentials: S3Credentials, region: string | undefined): S3ClientConfig {
  switch (credentials.kind) {
    case "chain":
      return {};
    case "anonymous":
      return { credentials: { accessKeyId: "", secretAccessKey: "" }, signer: { sign: async (request) => request } };
    default:
      return { credentials: providerOf(credentials, region) };
  }
}

/** Asked when the first request is made, and again before what it gave expires. */
function providerOf(credentials: Exclude<S3Credentials, { kind: "anonymous" }>, region: string | undefined): Provider {
  return async (options) => {
    const providers = await import("@aws-sdk/credential-providers");
    const ask = (provider: Provider) => provider(options);
    switch (credentials.kind) {
      case "keys": {
        const { accessKey, secretKey, sessionToken } = credentials;
        return {
          accessKeyId: accessKey.reveal(),
          secretAccessKey: secretKey.reveal(),
          ...(sessionToken ? { sessionToken: sessionToken.reveal() } : {}),
        };
      }
      case "chain":
        return ask(providers.fromNodeProviderChain());
      case "environment":
        return ask(providers.fromEnv());
      case "container":
        return ask(
          process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI || process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI
            ? providers.fromContainerMetadata()
            : providers.fromInstanceMetadata(),
        );
      case "webIdentity":
        return ask(providers.fromTokenFile());
      case "profile":
        return ask(providers.fromIni(credentials.name === undefined ? {} : { profile: credentials.name }));
      case "assumedRole": {
        const { arn, sessionName, from } = credentials;
        return ask(
          providers.fromTemporaryCredentials({
            params: { RoleArn: arn, RoleSessionName: sessionName },
            ...(from.kind === "anonymous" ? {} : { masterCredentials: providerOf(from, region) }),
            ...(region === undefined ? {} : { clientConfig: { region } }),
          }),
        );
      }
    }
  };
}
