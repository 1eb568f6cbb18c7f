"""Where the shipped `config/`, `schema/` and `screens/` folders are, in a checkout and when installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ROOT = _PACKAGE / "_data" if (_PACKAGE / "_data").is_dir() else _PACKAGE.parent

CONFIG = _ROOT / "config"
SCHEMA = _ROOT / "schema"
SCREENS = _ROOT / "screens"
