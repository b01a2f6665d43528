"""The share of fields a draft places right and wrong, on real files and on samples nothing was tuned for."""

from tests.mappings.draft.measure import Score, catalogue, held_out, real_files


def test_a_catalogue_of_a_city_by_its_chinese_names() -> None:
    score = Score()
    catalogue(score)
    score.check(0.7)


def test_every_real_file() -> None:
    score = Score()
    real_files(score)
    score.check(0.55)


def test_samples_that_were_written_before_the_draft_was_tuned() -> None:
    score = Score()
    held_out(score)
    score.check(0)
