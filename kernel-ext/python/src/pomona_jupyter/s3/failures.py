"""What S3 refuses, as messages that reach the browser: what failed, where, and what to do."""

from __future__ import annotations

from aiohttp import ClientError as ConnectionFailure
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    SSLError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from tornado.web import HTTPError

#: Everything that a request to S3 may end with.
S3_ERRORS = (ClientError, BotoCoreError, ConnectionFailure, TimeoutError, OSError)

#: The permission that an operation needs; https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_PERMISSIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "CopyObject": "s3:GetObject and s3:PutObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}

_RENEW = (
    "Renew the credentials that the server runs with (the machine's role, a profile, aws sso login, or the environment) and try again; "
    "what the environment says is read when the server starts."
)


class S3Failure(HTTPError):
    """An answer for the browser."""


def code_of(error: BaseException) -> str:
    """S3's name of an error; of a HEAD, whose answer has no body, the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status_of(error: BaseException) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) if isinstance(error, ClientError) else 0


def is_missing(error: BaseException) -> bool:
    """There is no such object. A missing bucket is another matter, but HEAD does not tell."""
    return code_of(error) in ("NoSuchKey", "404", "NotFound", "NoSuchUpload") or (status_of(error) == 404 and code_of(error) != "NoSuchBucket")


def is_changed(error: BaseException) -> bool:
    """A condition did not hold: the object is another one than expected."""
    return status_of(error) == 412 or code_of(error) == "PreconditionFailed"


def is_raced(error: BaseException) -> bool:
    """Another request for the same object was under way: S3 asks to repeat it."""
    return code_of(error) in ("ConditionalRequestConflict", "OperationAborted")


def needs_new_client(error: BaseException) -> bool:
    """Credentials were not there or have expired: the next request looks for them again."""
    unusable = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, TokenRetrievalError, UnauthorizedSSOTokenError)
    return isinstance(error, unusable) or code_of(error) in ("ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired")


def failure(error: BaseException, operation: str, url: str, bucket: str) -> S3Failure:
    """The message for what S3, or the way there, refused.

    The status is never 404: to Jupyter that says that a notebook is not there, which is saved then.
    """
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return S3Failure(
            403,
            f"{operation} of {url}: the server has no credentials for S3. "
            "Give it some as to any program of AWS (the machine's role, a profile in AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and start it again.",
        )
    if isinstance(error, (CredentialRetrievalError, TokenRetrievalError, UnauthorizedSSOTokenError)):
        return S3Failure(403, f"{operation} of {url}: the server's credentials for S3 cannot be had: {error} {_RENEW}")
    if isinstance(error, SSLError):
        return S3Failure(503, f"{operation} of {url}: S3's certificate is not trusted: {error} AWS_CA_BUNDLE names a file with the certificates that are.")
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, ConnectionFailure)):
        return S3Failure(503, f"{operation} of {url}: S3 cannot be reached: {error}. Is the network there, and the endpoint right? Nothing is lost; try again.")
    if not isinstance(error, ClientError):
        return S3Failure(503, f"{operation} of {url}: S3 did not answer: {error or type(error).__name__}. Nothing is lost; try again.")
    code, said = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    if code == "NoSuchBucket":
        return S3Failure(503, f"There is no bucket {bucket} ({operation} of {url}). Make it, or name another one in jupyter-s3-conf.json.")
    if code in ("ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"):
        return S3Failure(403, f"{operation} of {url}: the server's credentials for S3 have expired. {_RENEW}")
    if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch"):
        return S3Failure(403, f"{operation} of {url}: S3 does not know the server's access key, or its secret is wrong ({code}). {_RENEW}")
    if code == "RequestTimeTooSkewed":
        return S3Failure(403, f"{operation} of {url}: the server's clock is wrong, so S3 refuses what it signs. Set the clock.")
    if code in ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException") or status_of(error) == 301:
        return S3Failure(503, f'{operation} of {url}: the bucket {bucket} is in another region. {said} Set "s3.persistence.region" in jupyter-s3-conf.json.')
    if "KMS" in code or "kms:" in said:
        return S3Failure(403, f"{operation} of {url}: {said or code} The role needs kms:GenerateDataKey and kms:Decrypt of the bucket's key.")
    if status_of(error) == 403:
        permission = _PERMISSIONS.get(operation, "s3:PutObject")
        return S3Failure(403, f"{operation} of {url}: S3 denies it ({code}). The role that the server runs with needs {permission} there.")
    if status_of(error) in (429, 503) or code in ("SlowDown", "ThrottlingException"):
        return S3Failure(503, f"{operation} of {url}: S3 asked to slow down, several times ({code}). Nothing is lost; try again in a while.")
    return S3Failure(502, f"{operation} of {url}: S3 answered {status_of(error) or 'an error'} {code}: {said}")
