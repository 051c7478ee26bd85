"""speech.py and transcript.py: three forms of one transcript."""

from __future__ import annotations

from typing import Any

import pytest

from tests.callback.test_record import job, valid


def spoken(**result: Any) -> Any:
    """The result of a speech recognition that sent this."""
    record = job(Tag="SpeechRecognition", Operation={"SpeechRecognitionResult": result})
    return valid(record)["result"]


NOTHING: dict[str, Any] = {
    "speaker_id": None,
    "channel": None,
    "speed_chars_per_s": None,
    "sliced_text": None,
    "word_count": None,
    "words": [],
}
SILENCE: dict[str, Any] = {
    "audio_time_s": None,
    "text": None,
    "segments": [],
    "object": None,
    "detail_object": None,
    "generalized": None,
}


@pytest.mark.parametrize(
    "sent",
    [
        "[0:3.320,0:19.712]  first\n[1:02.5,1:02:03.250,2] second\nline\n",
        ["[0:3.320,0:19.712]  first", "[1:02.5,1:02:03.250,2] second\nline"],
    ],
)
def test_lines_of_text_are_taken_apart_at_their_times(sent: Any) -> None:
    """Minutes and seconds, hours too; who speaks where it is told."""
    result = spoken(Result=sent, AudioTime="3723.5")
    assert result["audio_time_s"] == 3723.5
    assert result["text"] == "first\nsecond\nline"
    assert result["segments"] == [
        {"begin_s": 3.32, "end_s": 19.712, "text": "first", **NOTHING},
        {"begin_s": 62.5, "end_s": 3723.25, "text": "second\nline", **NOTHING, "speaker_id": "2"},
    ]


def test_text_without_times_is_text() -> None:
    """It has no segments."""
    assert spoken(Result=" said ") == {**SILENCE, "text": "said"}


def test_a_time_that_can_not_be_read_is_null() -> None:
    """The text stays."""
    (segment,) = spoken(Result="[1.2.3,0:1] said")["segments"]
    assert (segment["begin_s"], segment["end_s"], segment["text"]) == (None, 1.0, "said")


def test_times_are_exact_to_the_microsecond() -> None:
    """What is finer is noise."""
    (segment,) = spoken(Result="[0:1.1234567,0:2] said")["segments"]
    assert segment["begin_s"] == 1.123457


def test_words_of_a_detailed_sentence_are_placed_in_the_recording() -> None:
    """Their offsets begin with the sentence."""
    sentence = {
        "StartMs": "3320",
        "EndMs": "19712",
        "FinalSentence": "悯农",
        "SpeakerId": "0",
        "SpeechSpeed": "2.4",
        "SliceSentence": "悯 农",
        "WordsNum": "2",
        "Words": [
            {"Word": "悯", "OffsetStartMs": "0", "OffsetEndMs": "2190", "VoiceType": "1"},
            {"Word": "农", "OffsetStartMs": "2190"},
            {"Word": ""},
        ],
    }
    for sent in (sentence, [sentence], [sentence, {"StartMs": ""}]):
        result = spoken(ResultDetail=sent, Result="[0:0.000,0:1.000] another form of it")
        (segment,) = result["segments"]
        assert segment == {
            "begin_s": 3.32,
            "end_s": 19.712,
            "text": "悯农",
            "speaker_id": "0",
            "channel": None,
            "speed_chars_per_s": 2.4,
            "sliced_text": "悯 农",
            "word_count": 2,
            "words": [
                {"word": "悯", "begin_s": 3.32, "end_s": 5.51, "voice_type": "1"},
                {"word": "农", "begin_s": 5.51, "end_s": None, "voice_type": None},
            ],
        }
    assert spoken(ResultDetail=[sentence, sentence])["text"] == "悯农\n悯农"


def test_a_flash_result_is_read_by_channel() -> None:
    """In milliseconds from the begin of the recording."""
    word = {"word": "a", "start_time": "100", "end_time": "200"}
    sentence = {
        "text": "a b",
        "start_time": "100",
        "end_time": "1200",
        "speaker_id": "1",
        "word_list": word,
    }
    result = spoken(FlashResult={"channel_id": 0, "text": "a b", "sentence_list": [sentence]})
    assert result["text"] == "a b"
    assert result["segments"] == [
        {
            **NOTHING,
            "begin_s": 0.1,
            "end_s": 1.2,
            "text": "a b",
            "speaker_id": "1",
            "channel": 0,
            "words": [{"word": "a", "begin_s": 0.1, "end_s": 0.2, "voice_type": None}],
        }
    ]


@pytest.mark.parametrize(
    "result", [{}, {"Result": ""}, {"Result": [{"a": "b"}]}, {"FlashResult": "x"}]
)
def test_no_transcript_is_null(result: Any) -> None:
    """Silence, for one."""
    assert spoken(**result) == SILENCE


def test_the_words_of_a_recording_may_be_taken_apart_too() -> None:
    """As those of a text are."""
    words = {"WordsGeneralizeToken": {"Word": "今天", "Pos": "t", "Offset": "0", "Length": "2"}}
    read = spoken(WordsGeneralizeResult=words, ObjectName="/a.txt", DetailObjectName="a.detail")
    (token,) = read["generalized"]["tokens"]
    assert (token["word"], token["length_chars"]) == ("今天", 2)
    assert (read["object"], read["detail_object"]) == ("a.txt", "a.detail")
