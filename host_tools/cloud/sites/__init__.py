"""The help centre and the portal at addresses of their own, each a client of our OpenID provider."""
