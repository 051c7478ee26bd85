"""The transcript of a recording: sentences and their words, out of the three forms that CI sends.

Sources: callback page "语音识别回调" with its sample; submit page 460/84798;
SpeechRecognitionResult of cos-go-sdk-v5; SentenceWords and SentenceDetail of the speech recognition
API that CI hands on; VoiceType in qcloud-sdk-ios.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import NamedTuple

from handler.callback import converters, tree
from handler.callback.converters import in_seconds
from handler.callback.results.fields import (
    MAX_ROWS,
    Fields,
    Json,
    Rows,
    Schema,
    refuse_many_rows,
)
from handler.callback.results.leaves import integer, number, seconds, text
from handler.callback.tree import Tree

_LINE = re.compile(
    r"\[(?P<begin>[0-9:.]{1,20}),(?P<end>[0-9:.]{1,20})(?:,(?P<speaker>[^\]\s]{1,20}))?\]\s*"
)
"""What stands before each sentence: [0:3.320,0:19.712], or a speaker's id behind the times."""

_TEXT_LINE = re.compile(r"[^\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
"""What str.splitlines takes for one."""

_WORD: Fields = {
    "word": text("", "The word", "锄禾"),
    "begin_s": seconds("", "Begin in the recording", 7.145),
    "end_s": seconds("", "End in the recording", 8.36),
    "voice_type": text("", "Kind of voice, as CI names it", "0"),
}

_SEGMENT: Fields = {
    "begin_s": seconds("", "Begin in the recording", 3.32),
    "end_s": seconds("", "End in the recording", 19.712),
    "text": text("", "The text of the recording", "悯农，李绅"),
    "speaker_id": text("", "Who said it, where speakers are distinguished", "0"),
    "channel": integer("", "Channel of the recording, where channels are distinguished", 0),
    "speed_chars_per_s": number("", "Speed", 2.4, "characters per second"),
    "sliced_text": text("", "The text, with its words set apart", "悯农 ， 李绅"),
    "word_count": integer("", "Number of its words", 2),
    "words": Rows("", "Its words, where they were asked for", _WORD),
}

_NOT_SENT: dict[str, Json] = dict.fromkeys(_SEGMENT)
"""A sentence in a form that says nothing: each form adds its fields."""


class Segments(NamedTuple):
    """The sentences of a recording, out of whichever of three forms was sent: a Field.

    ResultDetail: StartMs and EndMs, and words whose offsets begin with their sentence.
    FlashResult: milliseconds from the recording's begin, by channel.
    Result: lines of text with the times in brackets, in minutes and seconds.
    """

    path: str
    about: str

    def read(self, node: Tree) -> Json:
        """Raises PayloadError: more than fields.MAX_ROWS sentences."""
        at = tree.get(node, self.path)
        sentences = _some(at, "ResultDetail")
        refuse_many_rows(len(sentences), len(_SEGMENT))
        return [_detailed(sentence) for sentence in sentences] or _flash(at) or _lines(at)

    def schema(self) -> Schema:
        return Rows(self.path, self.about, _SEGMENT).schema()

    def lists(self) -> Iterator[str]:
        for name in (
            "Result",
            "ResultDetail",
            "ResultDetail.Words",
            "FlashResult",
            "FlashResult.sentence_list",
            "FlashResult.sentence_list.word_list",
        ):
            yield f"{self.path}.{name}"


class Transcript(NamedTuple):
    """All that was said, without times, one sentence per line: a Field."""

    path: str

    def read(self, node: Tree) -> Json:
        at = tree.get(node, self.path)
        sent = tree.every(at, ("Result",))
        said = [_LINE.sub("", result) for result in sent]
        if not any(map(str.strip, said)):
            said = tree.every(at, ("ResultDetail", "FinalSentence"))
        if not said:
            said = tree.every(at, ("FlashResult", "text"))
        return "\n".join(_text_lines(said)) or None

    def schema(self) -> Schema:
        return {
            "type": ["string", "null"],
            "description": "The whole text, without times, one sentence per line",
            "examples": ["悯农，李绅，锄禾日当午，汗滴禾下土。"],
        }

    def lists(self) -> Iterator[str]:
        return iter(())


def _text_lines(texts: list[str]) -> Iterator[str]:
    """Their lines, without blanks around them and without blank ones. One at a time: a list of
    the lines of a long text takes up many times its size."""
    for passage in texts:
        for match in _TEXT_LINE.finditer(passage):
            if line := match[0].strip():
                yield line


def _detailed(sentence: Tree) -> Json:
    begin = in_seconds(tree.text(sentence, "StartMs"))
    return _NOT_SENT | {
        "begin_s": begin,
        "end_s": in_seconds(tree.text(sentence, "EndMs")),
        "text": tree.text(sentence, "FinalSentence") or None,
        "speaker_id": tree.text(sentence, "SpeakerId"),
        "speed_chars_per_s": converters.number(tree.text(sentence, "SpeechSpeed")),
        "sliced_text": tree.text(sentence, "SliceSentence"),
        "word_count": converters.integer(tree.text(sentence, "WordsNum")),
        "words": [
            {
                "word": tree.text(word, "Word"),
                "begin_s": _after(begin, tree.text(word, "OffsetStartMs")),
                "end_s": _after(begin, tree.text(word, "OffsetEndMs")),
                "voice_type": tree.text(word, "VoiceType"),
            }
            for word in _some(sentence, "Words")
        ],
    }


def _flash(at: Tree) -> list[Json]:
    return [
        _NOT_SENT
        | {
            "begin_s": in_seconds(tree.text(sentence, "start_time")),
            "end_s": in_seconds(tree.text(sentence, "end_time")),
            "text": tree.text(sentence, "text") or None,
            "speaker_id": tree.text(sentence, "speaker_id"),
            "channel": converters.integer(tree.text(result, "channel_id")),
            "words": [
                {
                    "word": tree.text(word, "word"),
                    "begin_s": in_seconds(tree.text(word, "start_time")),
                    "end_s": in_seconds(tree.text(word, "end_time")),
                    "voice_type": None,
                }
                for word in _some(sentence, "word_list")
            ],
        }
        for result in _some(at, "FlashResult")
        for sentence in _some(result, "sentence_list")
    ]


def _lines(at: Tree) -> list[Json]:
    """The sentences of Result: each mark, and the text up to the next one."""
    segments: list[Json] = []
    for sent in tree.every(at, ("Result",)):
        marks = list(islice(_LINE.finditer(sent), MAX_ROWS + 1))
        refuse_many_rows(len(segments) + len(marks), len(_SEGMENT))
        segments += [
            _NOT_SENT
            | {
                "begin_s": _clock(mark["begin"]),
                "end_s": _clock(mark["end"]),
                "text": sent[mark.end() : following.start() if following else None].strip() or None,
                "speaker_id": mark["speaker"],
                "words": [],
            }
            for mark, following in zip_longest(marks, marks[1:])
        ]
    return segments


def _some(at: Tree, path: str) -> list[Tree]:
    return [node for node in tree.get_all(at, path) if not tree.is_hollow(node)]


def _after(begin_s: float | None, offset_ms: str | None) -> float | None:
    offset_s = in_seconds(offset_ms)
    return None if begin_s is None or offset_s is None else round(begin_s + offset_s, 6)


def _clock(sent: str) -> float | None:
    """0:19.712 or 1:02:03.5 as seconds."""
    total = 0.0
    for part in sent.split(":"):
        value = converters.number(part)
        if value is None:
            return None
        total = total * 60 + value
    return round(total, 6)
