"""A program of the router's owner: by requests, what the pages' script does. It is shown every answer."""

import json

from tests.bench import owner

PASSWORD = owner.PASSWORD


class Program(owner.Owner):
    """`ask` raises nothing: what the router refuses is an answer too."""

    def __init__(self, house, client=None):
        super().__init__(house.current, house.trust)
        if client is not None:  # the same person in another browser
            self.secret, self.last_step = client.secret, client.last_step

    def ask(self, method, path, body=None, **headers):
        """(status, headers, text) with this program's cookies; header names with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Cookie", self.cookie_header)
        if body is not None:
            named.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request(method, path, body, named)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        self._keep_cookies(answer)
        return answer.status, answer.headers, text

    def read(self, path, **headers):
        """(status, what a GET answers in JSON)."""
        status, _, text = self.ask("GET", path, **headers)
        return status, json.loads(text)

    def send(self, path, **fields):
        """(status, what a POST answers in JSON), with the session's CSRF token where there is a session."""
        headers = {"Origin": self.origin}
        if self.cookies.get(owner.SESSION):
            headers["X_CSRF_Token"] = self.read("/api/session")[1].get("csrf_token", "")
        status, _, text = self.ask("POST", path, fields, **headers)
        return status, json.loads(text)

    @property
    def is_in(self):
        return self.ask("GET", "/api/session")[0] == 200

    def prove(self):
        assert self.send("/api/prove", proof=self.next_code())[0] == 200

    def prove_again_if_needed(self):
        if not self.read("/api/session")[1]["is_proved"]:
            self.prove()

    def install(self, bundle):
        """(status, answer) of an upload of firmware, by somebody who has given a code."""
        headers = {"Origin": self.origin, "X_CSRF_Token": self.read("/api/session")[1]["csrf_token"]}
        headers["Content_Type"] = "application/octet-stream"
        status, _, text = self.ask("POST", "/api/system/firmware/bundle", bundle, **headers)
        return status, json.loads(text)

    def token(self, *scopes, lifetime="90"):
        form = {"name": "A program", "scopes": " ".join(scopes), "lifetime": lifetime}
        status, answer = self.send("/api/security/token/create", **form)
        assert status == 200, answer
        return answer["token"]
