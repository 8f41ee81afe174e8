"""The operator's page: what a line tells, as one tile for each port, in a browser beside the bench.

`tiles.py` turns events into what the page shows, without I/O; `feed.py` carries that to the browsers;
`server.py` answers them; `static/` is the page itself. It shows no secret and knows no account.
"""
