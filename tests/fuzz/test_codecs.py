"""Frames: every codec, in the middle of its work, fed with frames that are nearly right."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bounds.census import census
from tests.bounds.table import BOUNDED
from tests.fuzz.mutations import frames
from tests.providers.aries import test_contract as aries
from tests.providers.contract import NOW_NS, CodecContract, drained
from tests.providers.insightsentry import test_contract as insightsentry
from tests.providers.quantcite import test_contract as quantcite
from tui.clock import NS

CONTRACTS: dict[str, CodecContract] = {
    "aries market": aries.TestMarket(),
    "aries charts": aries.TestCharts(),
    "aries accounts": aries.TestAccounts(),
    "insightsentry live": insightsentry.TestLive(),
    "insightsentry newsfeed": insightsentry.TestNewsfeed(),
    "quantcite book": quantcite.TestContract(),
}


@pytest.mark.fault("M40", "M41")
@pytest.mark.parametrize("name", CONTRACTS)
@given(data=st.data())
@settings(deadline=None)
def test_no_frame_makes_a_codec_raise_or_say_anything_impossible(name: str, data: st.DataObject) -> None:
    contract = CONTRACTS[name]
    good = [*contract.golden().values(), *contract.accepted(), *contract.refused()]
    is_early = data.draw(st.booleans(), label="before the login")
    codec = contract._opened(frozenset()) if is_early else contract._live(contract.wants()[0])
    now_ns = NOW_NS
    for frame in data.draw(st.lists(frames(good), min_size=1, max_size=6), label="frames"):
        drained(codec.received(frame, now_ns))
        now_ns += data.draw(st.sampled_from([0, NS, 20 * NS, 120 * NS]), label="pause")
        drained(codec.ticked(now_ns))
        drained(codec.released(now_ns))
        if data.draw(st.booleans(), label="other wants"):
            drained(codec.wanted(data.draw(st.sampled_from(list(contract.wants()))), now_ns))
    over = {name: size for name, size in census(codec).items() if size > BOUNDED.get(name, size)}
    assert over == {}
