"""Print what an installed lstmcast needs besides torch, as requirements for pip."""

from importlib.metadata import requires

for requirement in requires("lstmcast") or []:
    if "extra ==" not in requirement and not requirement.startswith("torch"):
        print(requirement)
