"""The OpenID provider: one account signs in to the help centre, the app and the portal (K1).

| module | what it is |
|---|---|
| `requests.py` | what an application may ask at /oidc/authorize, decided without a database |
| `clients.py` | the applications that are known, and how they prove who they are |
| `consents.py` | what an account lets an application know |
| `grants.py` `tokens.py` | codes and tokens: each kept as a hash, each used as often as it may |
| `pushed.py` | questions that the application tells us beforehand (PAR, RFC 9126) |
| `proofs.py` | the key that a token is bound to (DPoP, RFC 9449) |
| `devices.py` | sign-in on something without a keyboard (RFC 8628) |
| `keys.py` | the keys that sign, and their rotation |
| `assertions.py` `signed.py` `spent.py` | an application proves itself by a key (RFC 7523), each proof once |
| `claims.py` | what is said about a person, by scope |
| `logins.py` | who is signed in where, and telling the applications when a session is over |
"""
