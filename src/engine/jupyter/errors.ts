import { PomonaError } from "../../errors";

/** Something is wrong with a Jupyter server that tasks were to run behind. */
export class EndpointError extends PomonaError {
  /** The server, as `host:port`. */
  readonly endpoint: string;
  /** What is wrong, without the server's name and without a remedy. */
  readonly what: string;

  constructor(endpoint: string, what: string, options: { remedy?: string; cause?: unknown; retryable?: boolean } = {}) {
    super(`Endpoint ${endpoint}: ${what}`, options);
    this.endpoint = endpoint;
    this.what = what.replace(/\.$/, "");
  }
}

/** Nobody answers there, or not in time. It may come back. */
export class EndpointUnreachableError extends EndpointError {
  constructor(
    endpoint: string,
    why: string,
    remedy = "Is it started, its address and port right, and open to this machine (--ip, firewall)?",
  ) {
    super(endpoint, `no Jupyter server answers: ${why}.`, {
      remedy,
      retryable: true,
    });
  }
}

/** The server answers that it starts nothing at this time, such as one that is about to end. */
export class EndpointUnavailableError extends EndpointError {
  /** @param reason the server's own */
  constructor(endpoint: string, reason: string) {
    super(endpoint, `it takes nothing new: ${reason.replace(/[.]$/, "")} (HTTP 503).`, {
      remedy: "Use other endpoints, or this one when it is started again.",
      retryable: true,
    });
  }
}

/** Its certificate is none that this machine trusts for its address. */
export class EndpointCertificateError extends EndpointError {
  constructor(endpoint: string, why: string) {
    super(endpoint, `its certificate is not trusted: ${why}.`, {
      remedy:
        "Start this program, or Jupyter, with NODE_EXTRA_CA_CERTS=FILE, which has the certificate or its signer's in PEM form; and use an address that it names.",
    });
  }
}

/** The server wants another token, or none was given; or it does not let its owner do this. */
export class EndpointAccessError extends EndpointError {
  /**
   * @param tokenFrom where the token is from that it was told, if any
   * @param reason the server's own, where it gives one
   */
  constructor(endpoint: string, status: number, tokenFrom: string | undefined, reason?: string) {
    const hasToken = tokenFrom !== undefined;
    const refused = reason === undefined ? "the token is refused" : `it refuses this: ${reason.replace(/[.]$/, "")}`;
    super(endpoint, `${hasToken ? refused : "it wants a token, and there is none"} (HTTP ${status}).`, {
      remedy:
        hasToken && reason !== undefined
          ? 'Is it the right token? Variables for a gateway, such as KERNEL_USERNAME, are "env" of the endpoint in pomona.endpoints.'
          : `${hasToken ? `It is from ${tokenFrom}. ` : ""}Set POMONA_ENDPOINT_TOKEN, pomona.endpoints.token, or "token" or "tokenFile" of the endpoint in pomona.endpoints; pomona endpoints check also takes --token-file.`,
    });
  }
}

/** What answers there is no Jupyter server. */
export class NotJupyterError extends EndpointError {
  constructor(endpoint: string, what: string) {
    super(endpoint, `what answers is no Jupyter server: ${what}.`, {
      remedy:
        "Give the server's base address, with its path behind a proxy (host:8000/user/ann), past the proxy's own pages.",
    });
  }
}

/** The server has no kernel of this package, or that does not start. */
export class EndpointKernelError extends EndpointError {}

/** This package has another version there. */
export class EndpointVersionError extends EndpointError {
  constructor(endpoint: string, there: string, here: string) {
    super(endpoint, `its kernel is Pomona ${there}, this session is Pomona ${here}.`, {
      remedy: `Install ${here} there and its kernel (pomona kernel install), or use the same version here.`,
    });
  }
}

/** The machine has other files than this one. */
export class EndpointFilesError extends EndpointError {}
