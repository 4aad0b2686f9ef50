"""JupyterHub whose users keep their notebooks in S3, each under ``s3://<bucket>/jupyter/<user>/``, as on EMR.

Run it in the project's folder, once ``npm run setup`` is done and the bucket is in ``jupyter-s3-conf.json``:

    .venv/bin/jupyterhub -f deploy/jupyterhub_config.py

By itself it lets those in who have an account on the machine and are named in POMONA_HUB_USERS; it then runs as root, which starts each
server as its user. With POMONA_HUB_PASSWORD all users have that one password and no account, which is for trying it out.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821

project = Path(__file__).resolve().parent.parent

# Who may come.
users = [name.strip() for name in os.environ.get("POMONA_HUB_USERS", "").split(",") if name.strip()]
if not users:
    sys.exit("Nobody may log in. Name the users: POMONA_HUB_USERS=ann,bob")
c.Authenticator.allowed_users = set(users)
c.Authenticator.admin_users = {name.strip() for name in os.environ.get("POMONA_HUB_ADMINS", "").split(",") if name.strip()}
password = os.environ.get("POMONA_HUB_PASSWORD")
if password:
    c.JupyterHub.authenticator_class = "dummy"
    c.DummyAuthenticator.password = password
    c.JupyterHub.spawner_class = "simple"
    # Where kernels run; notebooks are in S3.
    homes = os.environ.get("POMONA_HUB_HOMES", str(Path.cwd() / "homes"))
    c.SimpleLocalProcessSpawner.home_dir_template = f"{homes}/{{username}}"
    # As in a container, where everybody is root.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        c.Spawner.args = ["--allow-root"]

# The browser's address, and the proxy that npm has installed with the project.
c.JupyterHub.bind_url = os.environ.get("POMONA_HUB_URL", "http://127.0.0.1:8000")
proxy = project / "node_modules" / ".bin" / "configurable-http-proxy"
if proxy.exists():
    c.ConfigurableHTTPProxy.command = [str(proxy)]

# Each user's server: JupyterLab of the environment that the hub runs in, whose kernel is "TypeScript (Pomona)".
c.Spawner.cmd = [str(Path(sys.executable).parent / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = 60
c.Spawner.start_timeout = 120
# JupyterLab's settings of the project, its server's extensions (notebooks in S3, output that outlives the page), and the page's part of those.
config = [project / "kernel-ext" / "jupyter", project / "kernel-ext" / "python" / "jupyter"]
c.Spawner.environment = {
    # Whose notebooks the hub tells the server by JUPYTERHUB_USER.
    "POMONA_S3_CONF": os.environ.get("POMONA_S3_CONF", str(project / "jupyter-s3-conf.json")),
    "JUPYTER_PATH": str(project / "kernel-ext" / "python" / "jupyter"),
    "JUPYTER_CONFIG_PATH": os.pathsep.join(str(folder) for folder in config),
    "PYTHONPATH": str(project / "kernel-ext" / "python" / "src"),
}
# Which role or keys S3 is asked with. On EC2 it is the instance's role, which needs none of these. Whoever has a kernel may use them too:
# to keep users from each other's notebooks in S3 itself, give each server a role of its own (a spawner for containers can).
c.Spawner.env_keep.extend([
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_EC2_METADATA_DISABLED",
])
