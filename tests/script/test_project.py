"""Modules of the script's own project: found beside it and around it, walked once, never a library's."""

from pathlib import Path

import pytest

from pretune.script.read import read_script
from pretune.script.trace import Trace
from pretune.script.values import External, Module, Unknown
from read_code import became, call, plain


def read(folder: Path, script: str = "train.py", **files: str) -> Trace:
    """The trace of a script in a folder with these files; `__` stands for `/`."""
    for name, text in files.items():
        path = folder / (name.replace("____init__", "/\0").replace("__", "/").replace("\0", "__init__") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_script(str(folder / script))


def test_from_import(tmp_path: Path) -> None:
    """A name of a module beside the script is what the module says."""
    trace = read(tmp_path, train="from settings import NAME as N\nx = N", settings="NAME = '한국어'\n")
    assert plain(became(trace, "x")) == "한국어"
    assert [Path(file).name for file in trace.files] == ["train.py", "settings.py"]


def test_places_of_modules(tmp_path: Path) -> None:
    """What a module does has its place there, and the calls that led to it."""
    trace = read(
        tmp_path,
        train="import models\nmodels.load('bert')",
        models="from transformers import AutoModel\ndef load(n):\n    return AutoModel.from_pretrained(n)\n",
    )
    loaded = call(trace, "transformers.AutoModel.from_pretrained")
    assert Path(loaded.place.file).name == "models.py"
    assert loaded.place.line == 3
    assert [(Path(one.file).name, one.line) for one in loaded.calls] == [("train.py", 2)]
    assert loaded.constant(0, "") == "bert"


@pytest.mark.parametrize(
    "script",
    [
        "import lib.tools\nx = lib.tools.n",
        "import lib.tools as t\nx = t.n",
        "from lib import tools\nx = tools.n",
        "from lib.tools import n\nx = n",
        "from lib.tools import *\nx = n",
    ],
)
@pytest.mark.parametrize("package", [True, False])
def test_packages(tmp_path: Path, script: str, package: bool) -> None:
    """Modules in folders are found, with and without `__init__.py`."""
    if package:
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "__init__.py").write_text("")
    assert plain(became(read(tmp_path, train=script, lib__tools="n = 3\n_m = 4\n"), "x")) == 3


def test_relative_imports(tmp_path: Path) -> None:
    """Relative imports are of the file that they stand in."""
    trace = read(
        tmp_path,
        train="from lib.a import x as y\nx = y",
        lib____init__="",
        lib__a="from .b import n\nfrom . import b\nfrom ..top import m\nx = n + b.n + m",
        lib__b="n = 3\n",
        top="m = 1\n",
    )
    assert plain(became(trace, "x")) == 7


def test_names_of_a_package(tmp_path: Path) -> None:
    """A name that `__init__.py` imports is a name of the package."""
    trace = read(tmp_path, train="from lib import n\nx = n", lib____init__="from .b import n\n", lib__b="n = 3\n")
    assert plain(became(trace, "x")) == 3


def test_cycle(tmp_path: Path) -> None:
    """Modules that import each other end."""
    trace = read(tmp_path, train="import a\nx = a.n", a="import b\nn = 3\n", b="import a\nm = 4\n")
    assert plain(became(trace, "x")) == 3


def test_script_imports_itself(tmp_path: Path) -> None:
    """A script that imports itself ends."""
    assert plain(became(read(tmp_path, train="import train\nx = 3"), "x")) == 3


def test_walked_once(tmp_path: Path) -> None:
    """A module that is imported twice is walked once, whichever branch does it first."""
    trace = read(
        tmp_path,
        train="if t():\n    import a\nelse:\n    import a\nimport a\nx = a.n",
        a="n = 3\nimport os\nos.getcwd()\n",
    )
    assert plain(became(trace, "x")) == 3
    assert len(list(trace.calls("os.getcwd"))) == 1


def test_module_that_cannot_be_parsed(tmp_path: Path) -> None:
    """A module that cannot be parsed is a note, and its names are external."""
    trace = read(tmp_path, train="import broken\nx = broken.f", broken="def f(:\n")
    assert became(trace, "x") == External("broken.f")
    (note,) = trace.notes
    assert "broken.py:1:7 cannot be parsed" in note


def test_libraries_are_not_looked_for_around(tmp_path: Path) -> None:
    """A folder `datasets` above the script is no module; one with `__init__.py` beside it is."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text("load_dataset = 3\n")
    (tmp_path / "src").mkdir()
    trace = read(tmp_path, "src/train.py", src__train="from datasets import load_dataset\nx = load_dataset")
    assert became(trace, "x") == External("datasets.load_dataset")


def test_data_folder_is_no_module(tmp_path: Path) -> None:
    """A folder of data that is named as a library hides no library."""
    (tmp_path / "datasets").mkdir()
    trace = read(
        tmp_path, train="from datasets import load_dataset\nx = load_dataset\nimport datasets\ny = datasets.Dataset"
    )
    assert became(trace, "x") == External("datasets.load_dataset")
    assert became(trace, "y") == External("datasets.Dataset")


def test_folder_around(tmp_path: Path) -> None:
    """A script in a folder of its project finds the project's modules, up to its root."""
    (tmp_path / "outer.py").write_text("n = 4\n")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text("")
    trace = read(
        tmp_path / "project",
        "src/train.py",
        src__train="from common.names import n\nx = n\nimport outer\ny = outer",
        common__names="n = 3\n",
    )
    assert plain(became(trace, "x")) == 3
    assert became(trace, "y") == External("outer")


def test_arguments_beside(tmp_path: Path) -> None:
    """Dataclasses in `arguments.py` have their defaults in the script."""
    trace = read(
        tmp_path,
        train="from transformers import HfArgumentParser, AutoModel\nfrom arguments import ModelArguments\n(a,) = HfArgumentParser((ModelArguments,)).parse_args_into_dataclasses()\nAutoModel.from_pretrained(a.name)",
        arguments="from dataclasses import dataclass, field\n@dataclass\nclass ModelArguments:\n    name: str = field(default='klue/bert-base')\n",
    )
    assert call(trace, "transformers.AutoModel.from_pretrained").constant(0, "") == "klue/bert-base"


def test_annotations_of_modules(tmp_path: Path) -> None:
    """An annotation is looked up where it stands, wherever the function is handed over."""
    trace = read(
        tmp_path,
        train="from metrics import score\nfrom own import Mine\nMine(compute_metrics=score)",
        metrics="from transformers import EvalPrediction\ndef score(p: EvalPrediction):\n    p.f()\n",
        own="from transformers import Trainer\nclass Mine(Trainer):\n    def __init__(self, **k):\n        super().__init__(**k)\n",
    )
    assert call(trace, ".f").receiver == Unknown("given by the library", "p", "transformers.EvalPrediction")


def test_functions_of_modules_are_not_walked_alone(tmp_path: Path) -> None:
    """What nothing calls in a module is not walked with the script."""
    assert list(read(tmp_path, train="import a", a="def f():\n    print(1)\n").calls()) == []


def test_name_of_a_module(tmp_path: Path) -> None:
    """`__name__` of a module is not `__main__`."""
    assert list(read(tmp_path, train="import a", a="if __name__ == '__main__':\n    print(1)\n").calls()) == []


def test_star_passes_on(tmp_path: Path) -> None:
    """Names that a module has from a library's star are known in who takes its star."""
    trace = read(tmp_path, train="from a import *\nx = AutoModel", a="from transformers import *\n")
    assert became(trace, "x") == External("transformers.AutoModel")


def test_star_takes_all(tmp_path: Path) -> None:
    """`__all__` says what a star takes."""
    trace = read(tmp_path, train="from a import *\nx = [n, m]", a="__all__ = ['n']\nn = 3\nm = 4\n")
    assert plain(became(trace, "x").items[0]) == 3  # type: ignore[union-attr]
    assert plain(became(trace, "x").items[1]) != 4  # type: ignore[union-attr]


def test_module_value(tmp_path: Path) -> None:
    """A module of the project is a value with its name and file, and its variables can be set."""
    trace = read(tmp_path, train="import a\na.n = 5\nx = a\ny = a.n", a="n = 3\n")
    module = became(trace, "x")
    assert isinstance(module, Module)
    assert module.name == "a"
    assert plain(became(trace, "y")) == 5


def test_changed_file(tmp_path: Path) -> None:
    """A file that changed is read again."""
    assert plain(became(read(tmp_path, train="x = 1\n"), "x")) == 1
    assert plain(became(read(tmp_path, train="x = 200\n"), "x")) == 200


def test_many_modules(tmp_path: Path) -> None:
    """More modules than anybody would follow are left out, with a note."""
    files = {f"m{number}": f"n = {number}\n" for number in range(45)}
    trace = read(tmp_path, train="\n".join(f"import m{number}" for number in range(45)), **files)
    assert len(trace.files) == 41
    assert any("more than 40 modules" in note for note in trace.notes)
