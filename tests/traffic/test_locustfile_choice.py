"""Which locustfile a load has where none is named."""

from __future__ import annotations

from pathlib import Path

from meshproof.traffic.locustfile_choice import ANY_ANSWER, locustfile_of, path_of


def test_the_projects_own_goes_first_then_the_suites_then_one_for_any_answer(
    tmp_path: Path,
) -> None:
    assert locustfile_of(tmp_path) == ANY_ANSWER
    assert ANY_ANSWER.is_file()
    suite, own = tmp_path / "e2e" / "payments" / "locustfile.py", tmp_path / "locustfile.py"
    suite.parent.mkdir(parents=True)
    suite.touch()
    assert locustfile_of(tmp_path) == suite
    own.touch()
    assert locustfile_of(tmp_path) == own


def test_only_the_payment_suite_is_asked_to_pay(tmp_path: Path) -> None:
    assert (
        path_of(Path("e2e/payments/locustfile.py"))
        == path_of(tmp_path / "e2e/payments/locustfile.py")
        == "/pay"
    )
    assert path_of(Path("locustfile.py")) == path_of(ANY_ANSWER) == "/"
