"""Looks at this machine and environment once, and gives a Diagnosis."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pretune import __version__
from pretune.core.levels import RANK
from pretune.doctor import faults, machine, surroundings
from pretune.doctor.diagnosis import Diagnosis
from pretune.doctor.extras import extras, install_command
from pretune.doctor.installed import conflicts, found, packages

if TYPE_CHECKING:
    from pretune.doctor.diagnosis import Trouble


def look(*, devices: bool = True) -> Diagnosis:
    """Everything there is to say.

    Args:
        devices: whether torch, where it is installed, is asked for its devices; it takes seconds to be imported.
    """
    install = install_command(found)
    hub, knock = surroundings.hub(os.environ), surroundings.knock(os.environ)
    built_for = machine.torch_is_built_for()
    unasked = "" if devices else "--no-devices"
    if not built_for:
        unasked = "torch is not installed"
    asked = None if unasked else machine.devices()
    kernel = machine.kernel()
    troubles: list[Trouble] = [
        *conflicts(found, install),
        *faults.of_the_devices(asked, built_for=built_for, nvidia=machine.nvidia_is_here()),
        *faults.of_the_surroundings(hub, knock, surroundings.hiding(Path())),
        *faults.known(found, install),
        *faults.of_the_kernel(kernel, install),
    ]
    return Diagnosis(
        pretune=__version__,
        kernel=kernel,
        python=machine.python(),
        system=machine.system(),
        packages=packages(found),
        devices=None if asked is None else asked.devices,
        unasked=unasked or ("" if asked and asked.devices is not None else "torch cannot be imported"),
        extras=extras(found, install),
        hub=hub,
        knock=knock,
        troubles=tuple(sorted(troubles, key=lambda trouble: RANK[trouble.level])),
    )
