from __future__ import annotations

import math

import pytest

from bench.figures import Figure, at_least, at_most, growth, percentile, ratio_of_medians


@pytest.mark.parametrize(
    ("percent", "wanted"), [(0, 1.0), (1, 1.0), (50, 50.0), (50.5, 51.0), (99, 99.0), (100, 100.0)]
)
def test_percentiles_are_measured_values(percent: float, wanted: float) -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, percent) == wanted


def test_p99_of_few_values_is_the_largest() -> None:
    assert percentile([3.0, 1.0, 2.0], 99) == 3.0
    assert percentile([7.0], 50) == 7.0


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], -1), ([1.0], 101)])
def test_no_percentile_of_nothing(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match=r"no values|wanted 0 to 100"):
        percentile(values, percent)


def test_ratio_is_of_medians_not_of_means() -> None:
    assert ratio_of_medians([80.0, 90.0, 1000.0], [100.0, 1.0, 120.0]) == 0.9


@pytest.mark.parametrize(("over", "under"), [([], [1.0]), ([1.0], []), ([1.0], [0.0])])
def test_no_ratio_without_both_sides(over: list[float], under: list[float]) -> None:
    with pytest.raises(ValueError, match="both sides"):
        ratio_of_medians(over, under)


@pytest.mark.parametrize(
    ("value", "most", "least"),
    [(1.0, True, False), (2.0, True, True), (3.0, False, True), (math.nan, False, False)],
)
def test_targets_include_their_limit(value: float, most: bool, least: bool) -> None:
    assert Figure("f", value, "s", at_most(2)).met is most
    assert Figure("f", value, "s", at_least(2)).met is least


def test_a_figure_without_target_is_neither_met_nor_missed() -> None:
    assert Figure("f", 1.0, "s").met is None
    assert Figure("f", 1.0, "s").as_dict()["target"] is None


def test_json_has_no_nan() -> None:
    assert Figure("f", math.nan, "s", at_most(1)).as_dict()["value"] is None


@pytest.mark.parametrize(("cost", "exponent"), [(5.0, 0.0), (50.0, 1.0), (500.0, 2.0)])
def test_growth_is_an_exponent(cost: float, exponent: float) -> None:
    assert growth((10, 5.0), (100, cost)) == pytest.approx(exponent)


@pytest.mark.parametrize("points", [((10, 1.0), (10, 2.0)), ((10, 0.0), (20, 1.0))])
def test_no_growth_without_two_points(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="growth needs"):
        growth(*points)
