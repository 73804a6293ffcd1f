"""What instructors and CI run."""

import sys

# jsonschema, which checks notebooks, compiles a grammar of international addresses when it is
# imported. That takes longer than all other imports together, and no notebook needs it.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
