"""The migrations of the ledger are one chain."""

from __future__ import annotations

from alembic.script import ScriptDirectory

from hub.ledger.migrate import alembic_config


def test_migrations_form_one_chain_from_the_first_to_one_head() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())

    walked = [one.revision for one in scripts.walk_revisions()]

    assert len(scripts.get_heads()) == 1
    assert walked == sorted(walked, reverse=True)
    assert walked[-1] == "0001"
