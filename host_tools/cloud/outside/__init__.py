"""Signing in with an account of somebody else: any OpenID provider, Google, Facebook (K4, K7).

| module | what it is |
|---|---|
| `config.py` | the providers that the operator names |
| `provider.py` | speaking with one: discovery, keys, tokens, claims |
| `identity.py` | what a provider says of a person, and whether to believe it: pure |
| `flow.py` | there and back: state, nonce and verifier wait in a sealed cookie |
| `links.py` | which account is whose |
"""
