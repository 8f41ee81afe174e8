"""Every table, whoever asks: modules whose names end in "models" are read, and METADATA knows them all."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from host_tools.cloud.store.models import Base

for _found in pkgutil.iter_modules([str(Path(__file__).parent)], "host_tools.cloud.store."):
    if _found.name.endswith("models"):
        importlib.import_module(_found.name)

METADATA = Base.metadata
