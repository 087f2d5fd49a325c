"""The price of speech: micro-credits, the smallest unit of money here, for each second that a model makes."""

import math
from collections.abc import Mapping

from orchestrator.billing.settings import BillingSettings
from orchestrator.lib.environment import numbers_by_name


class Prices:
    def __init__(self, by_model: Mapping[str, int]) -> None:
        self._by_model = by_model

    @classmethod
    def read(cls, settings: BillingSettings) -> "Prices":
        return cls(numbers_by_name(settings.prices))

    def cost(self, model: str, seconds: float) -> int:
        """Returns the micro-credits for this many seconds, rounded up. A model without a price is free."""
        return math.ceil(self._by_model.get(model, 0) * seconds)
