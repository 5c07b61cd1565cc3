"""The players: a generator, a critic of pairs of designs, and the mean of the generator's weights.

The critic is shown two designs of the same problem at once (Lin et al. 2018, "PacGAN"): a generator that
always says the same is found out, for the designs of a family differ. It scores every neighbourhood
(Isola et al. 2017, "patchGAN"), and its layers have spectral norm 1 (Miyato et al. 2018).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from trabecula.learning.network import EncoderDecoder, Size

SLOPE = 0.2
"""Of the critic's leaky rectifiers."""


class Critic(nn.Module):
    """Scores pairs of designs, beside the fields of their problem.

    Parameters
    ----------
    dimension
        2 or 3.
    channels
        Of the unpacked fields, without the pair.
    width
        Channels at the top; twice as many a level down, two levels.
    patch
        Of `trabecula.surrogate.packing`.
    """

    def __init__(self, dimension: int, channels: int, width: int, patch: int) -> None:
        super().__init__()
        conv = nn.Conv3d if dimension == 3 else nn.Conv2d
        incoming = (channels + 2) * patch**dimension
        self.dimension = dimension
        self.layers = nn.ModuleList(
            spectral_norm(layer)
            for layer in (
                conv(incoming, width, 3, padding=1),
                conv(width, 2 * width, 3, padding=1),
                conv(2 * width, 4 * width, 3, padding=1),
                conv(4 * width, 1, 3, padding=1),
            )
        )

    def forward(self, pair: Tensor, fields: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of all places, and the share that each has in the domain; both `[example, place]`.

        Parameters
        ----------
        pair
            `[example, 2 * patch^d, ...]`: densities of two designs, zero outside.
        fields, inside
            Of `trabecula.learning.batches.ExampleBatch`.
        """
        pool = F.avg_pool3d if self.dimension == 3 else F.avg_pool2d
        x = torch.cat([2.0 * pair - 1.0, fields], dim=1)
        for k, layer in enumerate(self.layers):
            if k:
                x = F.leaky_relu(x, SLOPE)
            x = layer(pool(x, 2) if k in (1, 2) else x)
        share = pool(pool(inside.mean(dim=1, keepdim=True), 2), 2).flatten(1)
        return x.flatten(1), share / share.sum(dim=1, keepdim=True).clamp(min=1e-6)


class Players(nn.Module):
    """All that an adversarial training changes.

    Parameters
    ----------
    dimension, channels, size
        Of the generator (`EncoderDecoder`), noise included in the channels.
    fields
        Channels without the noise.
    width
        Of the critic.
    """

    def __init__(self, dimension: int, channels: int, fields: int, size: Size, width: int) -> None:
        super().__init__()
        self.generator = EncoderDecoder(dimension, channels, size)
        self.critic = Critic(dimension, fields, width, size.patch)
        self.average = EncoderDecoder(dimension, channels, size)
        self.average.load_state_dict(self.generator.state_dict())
        self.average.requires_grad_(False)

    def follow(self, decay: float) -> None:
        """Move the mean of the weights towards the generator's."""
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                mean.lerp_(now, 1.0 - decay)

    def score(self, pair: Tensor, fields: Tensor, inside: Tensor) -> Tensor:
        """The critic's mean scores, `[example]`, its weights held: only the designs are given a gradient."""
        held = {name: value.detach() for name, value in self.critic.named_parameters()}
        scores, shares = functional_call(self.critic, held, (pair, fields, inside))
        return cast("Tensor", (scores * shares).sum(dim=1))


def gradient_penalty(score: Tensor, pair: Tensor, voxels: Tensor) -> Tensor:
    """Mean squared norm of the critic's slope at real designs (Mescheder et al. 2018, eq. 9), times voxels.

    A mean over places has slopes that fall with their number; times the voxels it is the same on every grid.

    Parameters
    ----------
    score
        Scalar per example, `[example]`.
    pair
        `[example, ...]`: what it was computed from, with `requires_grad`.
    voxels
        `[example]`: in the domain.
    """
    (slope,) = torch.autograd.grad(score.sum(), pair, create_graph=True)
    return (slope.flatten(1).square().sum(1) * voxels).mean()
