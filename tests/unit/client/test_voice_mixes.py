import pytest

from lectern_contract.voice_mixes import NoMix, is_mix, parse


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("af_heart(2)+af_sky(1)", {"af_heart": 0.666667, "af_sky": 0.333333}),
        ("af_sky(1)+af_heart(2)", {"af_heart": 0.666667, "af_sky": 0.333333}),
        ("af_sky(10) + af_heart(20)", {"af_heart": 0.666667, "af_sky": 0.333333}),
        ("af_heart+af_sky", {"af_heart": 0.5, "af_sky": 0.5}),
        ("af_heart(0.5)+af_sky(1.5)", {"af_heart": 0.25, "af_sky": 0.75}),
        ("af_heart+af_heart(3)", {"af_heart": 1.0}),
    ],
)
def test_a_mix_has_one_spelling(name: str, shares: dict[str, float]) -> None:
    assert is_mix(name)
    assert dict(parse(name)) == shares
    assert list(parse(name)) == sorted(shares)


@pytest.mark.parametrize(
    "name",
    ["af_heart(+af_sky", "+", "af_heart()", "af_heart(0)+af_sky", "af_heart(-1)", "af_heart(1e9)", "af_heart(99999)",
     "af_heart(2000)", "+".join(["af_sky"] * 9), "af heart+af_sky", "af_heart(1)(2)"],
)  # fmt: skip
def test_what_is_no_mix_says_why(name: str) -> None:
    with pytest.raises(NoMix, match=r"mix|weight"):
        parse(name)


def test_plain_names_are_no_mixes() -> None:
    assert not any(is_mix(name) for name in ("af_heart", "en-us", "chr-us-qaaa-x-west"))
