"""The shop's rules do what they say: each assertion has a control that must fail."""

from __future__ import annotations

from meshproof.assertions import Apply, AssertAllowed, AssertBlocked, AssertSplit, AssertTrace

CANARY = "rules/catalogue_v1_90_v2_10.yaml"
RATES = "rules/rates.yaml"
BASKET = "rules/basket_from_storefront.yaml"


def test_a_tenth_of_all_offers_is_v2(apply: Apply, assert_split: AssertSplit) -> None:
    apply(CANARY)
    assert_split("catalogue.stock", rule=CANARY, path="/offer", alternative=0.1)
    swapped = {"v1": 10, "v2": 90}
    assert_split("catalogue.stock", weights=swapped, path="/offer", alternative=0.1, expect="fail")


def test_rates_are_asked_for_where_a_rule_opens_the_way(
    apply: Apply, assert_blocked: AssertBlocked, assert_allowed: AssertAllowed
) -> None:
    url = "http://rates.example.com/EUR/USD"
    assert_blocked(url, from_="quotes", opened_by=RATES)
    apply(RATES)
    assert_allowed(url, from_="quotes")
    assert_blocked(url, from_="quotes", expect="fail")


def test_nobody_but_the_storefront_reaches_a_basket(
    assert_blocked: AssertBlocked, assert_allowed: AssertAllowed
) -> None:
    url, key = "http://basket-0.basket.shop:8080/show", {"x-basket-key": "not-for-production"}
    assert_blocked(url, from_="catalogue-v1", headers=key, closed_by=BASKET)
    assert_allowed(url, from_="storefront", headers=key)
    assert_allowed(url, from_="catalogue-v1", headers=key, expect="fail")


def test_an_offer_in_dollars_leaves_one_whole_trace(
    apply: Apply, assert_trace: AssertTrace
) -> None:
    apply(RATES)
    calls = [
        ("gateway", "storefront"),
        ("storefront", "catalogue"),
        ("storefront", "quotes"),
        ("quotes", "rates.example.com"),
    ]
    assert_trace("/offer?in=USD", calls)
    assert_trace("/offer?in=USD", calls[:3], expect="fail", because="surplus quotes")
