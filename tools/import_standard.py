"""Writes the standard's YAML and CSV from DATASETS.md.

    python -m tools.import_standard ../shared/DATASETS.md [<target folder>]

It was run once to make `standards/`; from then on the YAML is what everything reads.  The tool stays so that anyone can
see where each word comes from, and a test holds both against each other.  What the source does not say (English titles,
expressions for its conditions, rules, libraries) is in the hand-kept tables of `tools/standard/`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.standard import write
from tools.standard.convert import Converter
from tools.standard.source import read

#: Public code tables that no element demands; `tools/import_codes.py` makes their CSV.
_REFERENCE = {
    "REF_ENTERPRISE_TYPE": {
        "title": "企业类型（参考）",
        "mark": "a",
        "source": "a city's copy of a market-regulation table, see SOURCES.md",
        "origin": "reference",
    },
    "REF_CURRENCY": {
        "title": "币种（参考，数字代码）",
        "mark": "a",
        "source": "a city's copy of a market-regulation table, see SOURCES.md",
        "origin": "reference",
    },
}


def build(path: Path) -> dict[str, str]:
    """File name below `standards/` to content.  Raises ValueError with every mistake."""
    source = read(path)
    converter = Converter(source)
    common = converter.common()
    datasets = converter.datasets()
    lists = converter.get_codelists()
    converter.finish()
    files = {"common.yaml": write.elements(common, "公共数据项: carried by every data set beside its own elements.")}
    files |= {f"datasets/{d['id']}.yaml": write.dataset(d) for d in datasets}
    files |= {f"codelists/{name}.csv": write.codes(held["codes"]) for name, held in lists.items()}
    files["codelists/index.yaml"] = write.index({**lists, **_REFERENCE})
    return files


def main(arguments: list[str]) -> int:
    """Write the files; 1 when the source holds what the tables do not know, 2 on wrong use."""
    if not arguments or not Path(arguments[0]).is_file():
        print(__doc__)
        return 2
    target = Path(arguments[1]) if len(arguments) > 1 else Path(__file__).resolve().parent.parent / "standards"
    try:
        files = build(Path(arguments[0]))
    except ValueError as error:
        print(error)
        return 1
    for name, content in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(content, encoding="utf-8")
    print(f"{len(files)} files written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
