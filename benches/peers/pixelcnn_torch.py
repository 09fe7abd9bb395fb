"""The PixelCNN in PyTorch. Not a worker: worker_torch.py trains it and generates from it."""

import torch
from torch import nn
from torch.nn import functional


class MaskedConv2d(nn.Conv2d):
    """Sees the rows above a pixel, what is left of it, and under mask B the pixel."""

    def __init__(self, mask, inputs, outputs, kernel):
        super().__init__(inputs, outputs, kernel, padding=kernel // 2)
        seen = kernel * kernel // 2 + (mask == "B")  # places in raster order
        ones = torch.arange(kernel * kernel) < seen
        self.register_buffer("mask", None if kernel == 1 else ones.view(1, 1, kernel, kernel).float())

    def forward(self, x):
        weight = self.weight if self.mask is None else self.weight * self.mask
        return functional.conv2d(x, weight, self.bias, padding=self.padding)

    def settle(self):
        """Masks the weight itself, once, for a network that is no longer trained."""
        if self.mask is not None:
            self.weight.data.mul_(self.mask)
            self.mask = None


class Block(nn.Module):
    def __init__(self, C, H):
        super().__init__()
        self.narrow = MaskedConv2d("B", C, H, 1)
        self.middle = MaskedConv2d("B", H, H, 3)
        self.widen = MaskedConv2d("B", H, C, 1)

    def forward(self, x):
        y = functional.relu(self.narrow(functional.relu(x)), inplace=True)
        return x + self.widen(functional.relu(self.middle(y), inplace=True))


class PixelCnn(nn.Module):
    """Channels last in memory."""

    def __init__(self, V, C, H, blocks, head, side, **_):
        super().__init__()
        self.first = MaskedConv2d("A", 1, C, 7)
        self.blocks = nn.Sequential(*(Block(C, H) for _ in range(blocks)))
        self.head = MaskedConv2d("B", C, head, 1)
        self.output = MaskedConv2d("B", head, V, 1)
        self.side = side
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        """(B, 1, side, side) → logits (B, V, side, side)."""
        x = functional.relu(self.blocks(self.first(x)))
        return self.output(functional.relu(self.head(x), inplace=True))

    @staticmethod
    def batch(V, B, side, **_):
        """Inputs and targets: levels scaled to −1 … 1, and the levels."""
        levels = torch.randint(V, (B, side, side))
        x = levels.unsqueeze(1) * (2 / (V - 1)) - 1
        return x.contiguous(memory_format=torch.channels_last), levels

    def generator(self, sampled, compiled):
        """A function that gives the next pixel, from a pass over the whole image; `sampled` draws a level from logits (V)."""
        for layer in self.modules():
            if isinstance(layer, MaskedConv2d):
                layer.settle()

        levels = self.output.out_channels
        x = torch.zeros(1, 1, self.side, self.side)
        pixels, place, forward = x.view(-1), 0, compiled(self)

        def unit():
            nonlocal place
            at = place % pixels.numel()
            if at == 0:
                pixels.zero_()
            level = sampled(forward(x).flatten(2)[0, :, at]).item()
            pixels[at] = level * (2 / (levels - 1)) - 1
            place += 1
            return level

        return unit
