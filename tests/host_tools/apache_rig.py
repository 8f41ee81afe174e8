"""Apache with mod_auth_openidc, both as Debian ships them: an application that none of us wrote."""

import grp
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAM = shutil.which("apache2") or "/usr/sbin/apache2"
MODULES = Path("/usr/lib/apache2/modules")
WANTED = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "auth_openidc",
    "ssl",
    "mime",
    "dir",
    "headers",
)
STOP_S = 10
SECTION = """
ServerRoot {root}
PidFile {root}/pid
ServerName localhost
Listen 127.0.0.1:{port}
ErrorLog {root}/error.log
User {user}
Group {group}
TypesConfig /dev/null
AddType text/html .html
DirectoryIndex index.html
DocumentRoot {root}/pages
SSLEngine on
SSLCertificateFile {root}/cloud.pem
SSLCertificateKeyFile {root}/cloud.key
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret {secret}
OIDCRedirectURI https://localhost:{port}/app/answer
OIDCCryptoPassphrase {passphrase}
OIDCScope "openid profile email offline_access"
OIDCPKCEMethod S256
OIDCCABundlePath {root}/cloud-ca.pem
OIDCDefaultLoggedOutURL https://localhost:{port}/bye.html
OIDCRemoteUserClaim email
OIDCSessionType server-cache
OIDCCacheType file
OIDCCacheDir {root}/cache
<Location /app>
  AuthType openid-connect
  Require valid-user
  Header set X-Signed-In "expr=%{{REMOTE_USER}}"
</Location>
"""


class Apache:
    """`with Apache(cloud_folder, issuer, secret, port) as apache`: the application is at apache.page.

    The client is `apache`; its addresses are `answer`, `bye` and `logout`.
    """

    def __init__(self, cloud, issuer, secret, port):
        base = f"https://localhost:{port}"
        self.page, self.answer, self.bye = f"{base}/app/", f"{base}/app/answer", f"{base}/bye.html"
        self.logout = f"{base}/app/answer?logout=backchannel"
        self.sign_out = f"{base}/app/answer?logout={base}/bye.html".replace("=https://", "=https%3A%2F%2F")
        # Not in the test's own folder: Apache's children, which are not root, must read it.
        self.root = Path(tempfile.mkdtemp(prefix="gatelodge-apache-"))
        self.root.chmod(0o755)
        self._process = None
        self._lay_out(cloud)
        user = "www-data" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
        loads = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in WANTED)
        section = SECTION.format(
            root=self.root, port=port, user=user, group=group, issuer=issuer, secret=secret,
            passphrase=secrets.token_hex(16),
        )  # fmt: skip
        (self.root / "apache.conf").write_text(loads + section)
        if os.geteuid() == 0:
            shutil.chown(self.root / "cache", user, group)

    def __enter__(self):
        command = [PROGRAM, "-f", str(self.root / "apache.conf"), "-DFOREGROUND"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        shutil.rmtree(self.root, ignore_errors=True)

    def log(self):
        path = self.root / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _lay_out(self, cloud):
        for name in ("pages/app", "cache"):
            (self.root / name).mkdir(parents=True)
        (self.root / "pages/app/index.html").write_text("<title>The app</title><h1>You are in</h1>")
        (self.root / "pages/bye.html").write_text("<title>Bye</title><h1>Good bye</h1>")
        for name in ("cloud.pem", "cloud.key", "cloud-ca.pem"):
            shutil.copy(cloud / name, self.root / name)
