"""Texts of our own, and where a text has numbers or signs, how they should be heard."""

from typing import Final, NamedTuple


class Text(NamedTuple):
    name: str
    spoken: str
    said: str = ""
    """The words that should be heard, if they are not those that are written."""

    @property
    def heard(self) -> str:
        return self.said or self.spoken


SENTENCES: Final = (
    Text("harvest", "The farmer sold his last four baskets of apples at the market before it began to rain."),
    Text("letter", "When the letter finally arrived, nobody in the house remembered who had been waiting for it."),
    Text("train", "The night train stops at every small station, so bring a book and a warm blanket."),
    Text("kitchen", "In the kitchen stood a long wooden table, two broken chairs, and a basket full of bread."),
    Text("question", "Do you know why the library is closed on Monday morning?"),
    Text("captain", "The captain, who had crossed this ocean many times, did not like the colour of the sky."),
    Text("list", "We still need tomatoes, onions, black pepper, a bottle of oil, and six fresh eggs."),
    Text(
        "doctor",
        "Dr. Brown paid $45 for the ticket and $12 for the meal.",
        "Doctor Brown paid forty five dollars for the ticket and twelve dollars for the meal.",
    ),
    Text(
        "museum",
        "The museum opened in 1985 and welcomes about 3,000 visitors every week.",
        "The museum opened in nineteen eighty five and welcomes about three thousand visitors every week.",
    ),
    Text("garden", "Please water the garden while we are away, and do not forget to feed the cat!"),
)
# Those that Whisper hears well, so that what it hears badly is a fault.
FEW: Final = tuple(text for text in SENTENCES if text.name in ("letter", "question", "captain", "list", "garden"))

PARAGRAPH: Final = Text(
    "paragraph",
    "Long before the first clock, people told the time by the sun. A stick in the ground was enough: its shadow grew "
    "short until noon, and then it grew long again. On a cloudy day, of course, the stick was of no use. So people "
    "learned to measure the hours with water. They made a small hole in a large bowl, and watched how slowly the water "
    "ran out of it. Such a clock also worked at night, but somebody had to fill it again every morning. In a cold "
    "winter the water turned to ice, and time stood still until spring. Later they tried sand, candles, and small "
    "weights on a rope. Each new clock was a little better than the last one, and yet nobody was ever on time.",
)

DOCUMENT: Final = Text(
    "document",
    "# A walk around the lake\n\n"
    "The path begins behind the old church. It is easy to follow, even in winter.\n\n"
    "## What to bring\n\n"
    "- strong shoes\n- a bottle of water\n- something to eat\n\n"
    "After one hour you will reach a wooden bridge. Do not cross it; turn left and walk along the river.\n\n"
    "The last part is the most beautiful. From the top of the hill you can see the whole valley.\n",
    "A walk around the lake. The path begins behind the old church. It is easy to follow, even in winter. What to "
    "bring. Strong shoes, a bottle of water, something to eat. After one hour you will reach a wooden bridge. Do not "
    "cross it; turn left and walk along the river. The last part is the most beautiful. From the top of the hill you "
    "can see the whole valley.",
)

# With g, ky, gy, by and ry, which other tables of signs lose.
JAPANESE: Final = (
    Text("gakkou", "学校の先生は病院へ行きました。"),
    Text("gyuunyuu", "牛乳を三本買ってください。"),
    Text("ryokou", "去年の旅行はとても楽しかったです。"),
    Text("ginkou", "銀行の入口で右に曲がってください。"),
    Text("toukyou", "急行列車は東京駅を出ます。"),
    Text("eiga", "今度の日曜日に映画を見に行きましょう。"),
    Text("kaigi", "明日の会議は午後に始まります。"),
    Text("kouen", "天気がいいので、公園まで歩いて行きました。"),
)

MIX: Final = Text("mix", "Two people speak these words together, and it sounds like a third one.")

# What must be among the words that are heard, as words.
NUMBERS: Final = (
    Text("morning", "The bus leaves at 10:05 a.m. from the old bridge.", "ten oh five a m"),
    Text("evening", "We close at 7:30 p.m. on Friday.", "seven thirty p m"),
    Text("price", "The lamp costs $19.99 in the shop.", "nineteen dollars and ninety nine cents"),
    Text("street", "She lives on St. James St. near the river.", "saint james street"),
    Text("telephone", "Please call 555-0164 after lunch.", "five five five zero one six four"),
    Text("percent", "About 75% of the people said yes.", "seventy five percent"),
    Text("weight", "The bag weighs 2.5 kg without the bottle.", "two point five kilograms"),
    Text("date", "He was born on March 3, 1974, in London.", "march third nineteen seventy four"),
    Text("ordinal", "This is the 22nd time that I have seen it.", "twenty second"),
    Text("cold", "It was -8°C in the morning.", "minus eight degrees celsius"),
)
