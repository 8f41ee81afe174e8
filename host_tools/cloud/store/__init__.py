"""What the cloud keeps: the schema, its migrations, transactions, and the box for secrets at rest."""
