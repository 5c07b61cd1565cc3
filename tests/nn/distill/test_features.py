"""Features by name: what is taken, and that no hook stays."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.nn.distill.toys import Reader, classifier, dense
from trabecula.nn.distill import landmarks, taps
from trabecula.nn.distill.features import (
    mode,
    peek,
    run,
    shared_landmarks,
)


def hooks(network: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in network.modules())


X = torch.randn(2, 1, 6, 6)


def test_features_are_those_of_the_named_layers() -> None:
    net = classifier(4).eval()
    with taps(net, ["stem", "first.1", ""]) as found:
        output = net(X)
    assert torch.equal(found["stem"], net.stem(X))
    assert torch.equal(found["first.1"], net.first[1](net.first[0](net.norm(net.stem(X)))))
    assert torch.equal(found[""], output)
    assert hooks(net) == 0


def test_hooks_are_removed_when_something_is_raised() -> None:
    net = classifier(4)
    with pytest.raises(RuntimeError), taps(net, ["stem"]):
        net(torch.zeros(1, 2, 7, 7))
    with pytest.raises(KeyError), taps(net, ["stem"]):
        raise KeyError
    with pytest.raises(ValueError, match="no layer"), taps(net, ["stem", "nothing"]):
        pass
    with pytest.raises(RuntimeError):
        landmarks(net, torch.zeros(1, 2, 7, 7))
    assert hooks(net) == 0


def test_an_operation_in_place_does_not_change_a_feature() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True))
    x = torch.randn(8, 3)
    seen = run(net, x, ["0"])
    assert torch.equal(seen.features["0"], net[0](x))
    assert (seen.features["0"] < 0).any()


def test_gradients_flow_through_features() -> None:
    net = classifier(4)
    run(net, X, ["first.1"]).features["first.1"].sum().backward()
    assert net.first[0].weight.grad is not None
    assert net.second[0].weight.grad is None


def test_a_layer_that_runs_twice_leaves_its_last_output() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.layer(self.layer(x))
            return result

    net, x = Twice(), torch.randn(3, 2)
    seen = run(net, x, ["layer"])
    assert torch.equal(seen.features["layer"], seen.output)


@pytest.mark.parametrize("batch_first", [True, False])
def test_sequences_come_with_channels_first(batch_first: bool) -> None:
    gru = nn.Sequential(nn.GRU(2, 5, batch_first=batch_first))
    with taps(gru, ["0"]) as found:
        output, _ = gru(torch.randn(*((3, 7) if batch_first else (7, 3)), 2))
    assert found["0"].shape == (3, 5, 7)
    assert torch.equal(found["0"], output.permute(0, 2, 1) if batch_first else output.permute(1, 2, 0))


def test_linear_layers_on_sequences_have_channels_last_themselves() -> None:
    net = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 6), nn.LayerNorm(6))
    seen = run(net, torch.zeros(3, 7, dtype=torch.long), ["0", "1", "2"])
    assert [seen.features[name].shape for name in "012"] == [(3, 4, 7), (3, 6, 7), (3, 6, 7)]


def test_the_message_names_the_nearest_layers() -> None:
    with pytest.raises(ValueError, match="no layer 'frist'; it has first"):
        run(classifier(4), X, ["frist"])
    with pytest.raises(ValueError, match="it has stem, norm"):
        run(classifier(4), X, ["zzz"])


class Awkward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used, self.idle, self.pair = nn.Linear(2, 2), nn.Linear(2, 2), Pairwise()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.used(x) + self.pair(x)["a"]
        return result


class Pairwise(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"a": x}


def test_what_is_no_feature_is_refused() -> None:
    net, x = Awkward(), torch.randn(3, 2)
    with pytest.raises(ValueError, match="'idle' of Awkward did not run"):
        run(net, x, ["idle"])
    with pytest.raises(ValueError, match="'pair' gives dict"):
        run(net, x, ["pair"])
    with pytest.raises(ValueError, match="Pairwise gives dict, not a tensor of logits"):
        run(Pairwise(), x)


def test_modes_come_back_part_by_part() -> None:
    net = classifier(4)
    net.norm.eval()
    before = [module.training for module in net.modules()]
    state = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(KeyError), mode(net, training=False):
        assert not any(module.training for module in net.modules())
        raise KeyError
    peek(net, X)
    assert [module.training for module in net.modules()] == before
    assert all(torch.equal(state[key], value) for key, value in net.state_dict().items())


def test_landmarks_are_the_first_and_last_layer_of_every_size() -> None:
    marks = {mark.size: mark for mark in landmarks(classifier(4), X)}
    assert (marks[6, 6].first, marks[6, 6].last) == ("stem", "first.3")
    assert (marks[3, 3].first, marks[3, 3].last) == ("pool", "second.3")
    assert marks[3, 3].last_channels == 4
    assert marks[()].last == "flat"
    assert "head" not in {mark.last for mark in marks.values()}


def test_landmarks_leave_out_the_output() -> None:
    marks = {mark.size: mark.last for mark in landmarks(dense(4, 2), X)}
    assert marks == {(6, 6): "up", (3, 3): "coarse.1"}


def test_equal_sizes_are_found_in_both_networks() -> None:
    both = shared_landmarks(classifier(8), classifier(4, depth=1), X)
    assert [(t.last, s.last) for t, s in both] == [("first.3", "first.1"), ("second.3", "second.1")]
    with pytest.raises(ValueError, match=r"no features of equal size .*say which"):
        shared_landmarks(classifier(4), nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), X)
    sequence = torch.randn(2, 5, 2)
    assert [s.last for _, s in shared_landmarks(Reader(4), Reader(3), sequence)] == ["gru"]
