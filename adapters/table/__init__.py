"""Channel `table`: front-end databases (前置库).  Parcels become rows of tables `jg_*` with CD_ and DATA_UP_ columns.

One row per cd_id: a newer revision takes the place of the older one, cd_operation and data_up_status say what happened
(i/u/d, I/U/D), a row that deletes stays as a row.  A repeat of the same parcel writes nothing.  cd_time and
data_up_time are the moment of writing, because centres read what is new by them.  A replaced row loses cd_lsh,
cd_hb_source and cd_hb_time, so that the centre takes it again.

Only statements that every database has: select by keys, insert many, update by key.  PostgreSQL, MySQL/MariaDB and
SQLite are run in the tests; Oracle, 达梦, SQL Server and 金仓 by their SQLAlchemy dialects.

As a source it looks into a table that a party fills: new rows by a flag or by a growing column, handed over as they
stand, marked when they are kept, and answered in their own columns: verdict, what is wrong, receipt number.

The connection test compares each real table with the standard and tells every difference.  The verdict is the commit,
or the centre's merge mark, or its base and error tables (`verdict`).
"""

from __future__ import annotations

from adapters.base import Manifest
from adapters.table.destination import FrontTable
from adapters.table.settings import TableSettings
from adapters.table.source import TableSource
from adapters.table.source_settings import TableSourceSettings

MANIFEST = Manifest(
    name="table",
    title="前置库",
    title_en="front-end database",
    source_settings=TableSourceSettings,
    make_source=TableSource,
    destination_settings=TableSettings,
    make_destination=FrontTable,
    about=__doc__ or "",
)

__all__ = ["MANIFEST", "FrontTable", "TableSettings"]
