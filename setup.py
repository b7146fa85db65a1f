"""The compiled kernel of `pretune check --data`: an extra that the build may do without. All else is in pyproject.toml.

It is compiled where there is a compiler for 64-bit little-endian machines; without one the package is built without
it, and everything works, slower. PRETUNE_NO_KERNEL=1 leaves it out, at build time and at run time. A wheel with it is
one for a platform and CPython's stable ABI; one without it is for every machine, and says so in its name.
"""

import os
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

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


class Build(build_ext):
    """Forgets the kernel when it could not be compiled: what is built then is a package of Python alone."""

    def build_extension(self, ext: Extension) -> None:
        """Compile it; what an earlier build left does not stand in for one that fails."""
        try:
            super().build_extension(ext)
        except BaseException:
            Path(self.get_ext_fullpath(ext.name)).unlink(missing_ok=True)
            self.distribution.ext_modules = []
            raise


class Wheel(bdist_wheel):
    """Compiles before it says what the wheel is for: its name tells whether the kernel is in it."""

    def run(self) -> None:
        """Build the wheel."""
        self.run_command("build_ext")
        if self.distribution.ext_modules:
            self.py_limited_api = "cp311"
        else:
            self.root_is_pure = True
        super().run()


setup(
    ext_modules=[] if os.environ.get("PRETUNE_NO_KERNEL") else [KERNEL],
    cmdclass={"build_ext": Build, "bdist_wheel": Wheel},
)
