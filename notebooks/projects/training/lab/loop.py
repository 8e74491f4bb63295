"""The loop: it holds a model and makes it better, for as long as you let it."""

from __future__ import annotations

from collections.abc import Callable

from lab.model import Model

POINTS = [(x / 10, 3 * x / 10 + 1) for x in range(-10, 11)]


class Trainer:
    """Trains one model on the points, and calls its watchers after each round."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.rounds = 0
        self.watchers: dict[str, Callable[[Trainer], object]] = {}

    def loss(self) -> float:
        return sum((self.model.predict(x) - y) ** 2 for x, y in POINTS) / len(POINTS)

    def train(self, rounds: int, rate: float = 0.002) -> float:
        first, second = self.model.layers
        for _ in range(rounds):
            for x, y in POINTS:
                inner = first.forward(x)
                error = second.forward(inner) - y
                first.weight -= rate * error * second.weight * x
                first.bias -= rate * error * second.weight
                second.weight -= rate * error * inner
                second.bias -= rate * error
            self.rounds += 1
            for watch in self.watchers.values():
                watch(self)
        return self.loss()
