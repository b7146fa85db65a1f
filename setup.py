"""The compiled kernel of `pretune check --data`: an extra that the build may do without. All else is in pyproject.toml.

It is compiled where there is a compiler for 64-bit little-endian machines; without one the package is built without
it, and everything works, slower. PRETUNE_NO_KERNEL=1 leaves it out, at build time and at run time.
"""

import os
from glob import glob

from setuptools import Extension, setup

KERNEL = Extension(
    "pretune.corpus._kernel",
    sources=sorted(glob("src/kernel/*.c")),  # noqa: PTH207 - setuptools wants paths as text, relative to this file
    depends=sorted(glob("src/kernel/*.h")),  # noqa: PTH207
    include_dirs=["src/kernel"],
    extra_compile_args=[] if os.name == "nt" else ["-std=c11", "-O3", "-fvisibility=hidden"],
    define_macros=[("Py_LIMITED_API", "0x030B0000")],
    py_limited_api=True,
    optional=True,
)

setup(
    ext_modules=[] if os.environ.get("PRETUNE_NO_KERNEL") else [KERNEL],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
