"""Finding and reading outward forms, on the same search path as mappings."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mappings.load import MappingFolders
from mappings.outward.compile import OutForm
from mappings.outward.grammar import OutFile
from standards import yaml_text
from standards.errors import BadConfiguration, UnknownName
from standards.yaml_text import Document

ENDING = ".out.yaml"


@dataclass(slots=True)
class LoadedForm:
    """One form as it was read, right or wrong."""

    name: str
    path: Path
    document: Document
    file: OutFile | None

    def compiled(self) -> OutForm:
        """Ready for use.  Raises BadConfiguration with its mistakes."""
        if self.file is None or self.document.problems:
            told = "; ".join(map(str, self.document.problems[:3]))
            raise BadConfiguration(
                f"the form {self.name} is wrong: {told}", what_zh=f"输出格式 {self.name} 有误：{told}"
            )
        return OutForm.of(self.name, self.file)


def form_names(folders: MappingFolders) -> list[str]:
    """Every form that can be found."""
    found: dict[str, None] = {}
    for folder in folders.folders:
        for path in sorted(folder.glob(f"*/*{ENDING}")):
            found.setdefault(f"{path.parent.name}/{path.name.removesuffix(ENDING)}")
    return sorted(found)


def read_form(name: str, path: Path) -> LoadedForm:
    """Read one form; mistakes are in its document."""
    document = yaml_text.read(path.read_text("utf-8"), path.name)
    return LoadedForm(name, path, document, yaml_text.validate(document, OutFile))


def load_form(folders: MappingFolders, name: str) -> LoadedForm:
    """A form by name.  Raises UnknownName with the near name."""
    for folder in folders.folders:
        path = folder / f"{name}{ENDING}"
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return read_form(name, path)
    near = get_close_matches(name, form_names(folders), 1, 0.5)
    raise UnknownName(
        f"no form {name}", what_zh=f"没有名为 {name} 的输出格式", hint=f"did you mean {near[0]}?" if near else ""
    )
