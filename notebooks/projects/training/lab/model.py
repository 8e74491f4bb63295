"""The model: layers in a row, each a line."""

from __future__ import annotations


class Layer:
    """One line: `weight * x + bias`."""

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.bias = 0.0

    def __repr__(self) -> str:
        return f"<layer {self.weight:.2f} x + {self.bias:.2f}>"

    def forward(self, x: float) -> float:
        return self.weight * x + self.bias


class Model:
    """Layers, one after the other."""

    def __init__(self) -> None:
        self.layers = [Layer(0.9), Layer(1.1)]

    def predict(self, x: float) -> float:
        for layer in self.layers:
            x = layer.forward(x)
        return x
