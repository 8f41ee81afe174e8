"""Files and firmware bundles over a serial line, to any board that speaks MicroPython's raw REPL."""
