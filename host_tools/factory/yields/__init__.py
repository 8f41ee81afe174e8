"""How well a line works: figures of the ledger (figures.py), as a table, and as a chart in SVG and PNG."""
