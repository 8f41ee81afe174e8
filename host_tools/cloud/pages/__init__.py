"""The account portal: a table of routes, the guards in front of them, templates and assets."""
