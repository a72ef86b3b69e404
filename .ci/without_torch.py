"""Print what an installed lstmcast needs besides torch, as requirements for pip.

With names of extras, as in `python .ci/without_torch.py serve plot`, what these need too.
"""

import sys
from importlib.metadata import requires

wanted = {"", *(f"extra == '{name}'" for name in sys.argv[1:])}
for line in requires("lstmcast") or []:
    requirement, _, marker = line.partition(";")
    if marker.strip() in wanted and not requirement.startswith("torch"):
        print(requirement)
