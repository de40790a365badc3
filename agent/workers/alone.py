"""`PYTHON -I -S alone.py`: the child's side in another Python, which has this package and its standard library only.

The package is made known by its folder, because whatever else lies beside it was made for another interpreter.
"""

import importlib
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def main() -> None:
    """Serve one parent."""
    folder = Path(__file__).resolve().parent.parent
    spec = spec_from_file_location("agent", folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None and spec.loader is not None
    package = module_from_spec(spec)
    sys.modules["agent"] = package
    spec.loader.exec_module(package)
    importlib.import_module("agent.workers.child").main()


if __name__ == "__main__":
    main()
