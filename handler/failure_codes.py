"""Which failures pass and which do not: the codes that are documented, and words of messages.

There is no official list of the codes of failed jobs. The lists below are of request errors;
CI gives some of their codes to failed jobs too (a client of CI tests for InvalidArgument), and
codes of COS pass through. Whether a code is worth a retry is inferred from its meaning. Sources:
"media" = CI, API 文档/媒体处理/错误码; "ci" = CI, API 文档/错误码 (numbers by their chapter);
"cos" = COS, API 文档/错误码.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

Reaction: TypeAlias = Literal["retry", "alert", "both", "nothing"]

UNKNOWN_CODE: Reaction = "retry"
"""The reaction to a code that is not in the table; attempts are bounded."""

MESSAGE_CHARS = 2_000
"""How much of a message is searched for a cause."""

_TRANSIENT = "may pass: the page says to try again, or a limit of the moment was met"
_SETUP = "a person must change something in the account, the bucket or the queue first"
_REQUEST = "the request or the file itself is wrong: a retry fails the same way"

ROWS: tuple[tuple[Reaction, str, str], ...] = (
    # media: 500, 503, 429, 403 (the queue is full), 400 (now or for ever), 307
    ("retry", _TRANSIENT, "InternalError ServiceUnavailable SlowDown QueueSaturated"),
    ("retry", _TRANSIENT, "ResourceDownloadFailed TemporaryRedirect"),
    # cos: a request that was too slow or met another one, and KMS
    ("retry", _TRANSIENT, "RequestTimeout UserNetworkTooSlow PathConflict UploadConflict"),
    ("retry", _TRANSIENT, "KmsFreqControl KmsInternalException"),
    # ci, download: the origin's data or its time, compression's time, too frequent (twice),
    # a file whose upload has not ended
    ("retry", _TRANSIENT, "-120 -902 -901 -164 -29214 -46614"),
    # ci, persistence: too frequent, image not fetched; moderation: file not fetched
    ("retry", _TRANSIENT, "-60949 -60987 -65010"),
    # media: the queue, the bucket, the role, the key and the rights of the account
    ("alert", _SETUP, "QueuePaused MediaBucketAlreadyBinded CIRoleNotExist AccessDenied"),
    ("alert", _SETUP, "ResourceAccessDenied MissingAuthorization InvalidAuthorization"),
    ("alert", _SETUP, "SecretidNotExist SignatureExpired UnavailableForLegalReasons"),
    # ci, media (numbers below): what was not created or bound, and limits of their number
    ("alert", _SETUP, "MediaBucketUnBinded BucketAlreadyBinded WriteTargetBucketDenied"),
    ("alert", _SETUP, "QueueNotFound TemplateNotFound TemplateNameDuplicate QueueNumLimit"),
    ("alert", _SETUP, "BindedBucketNumLimit CreatedTemplateNumLimit WorkFlowNumLimit"),
    ("alert", _SETUP, "ActiveWorkflowForbiddenUpdate"),
    # cos: rights, keys, payment, a bucket or an object in another state
    ("alert", _SETUP, "AccessForbidden NoProcessAuthority SignatureDoesNotMatch ExpiredToken"),
    ("alert", _SETUP, "InvalidAccessKeyId RequestTimeTooSkewed PaymentRequired NoSuchBucket"),
    ("alert", _SETUP, "InvalidObjectState ObjectLocked BucketLocked RestoreAlreadyInProgress"),
    ("alert", _SETUP, "KmsKeyDisabled KmsKeyNotExist DomainAuditFailed MethodNotAllowed"),
    # ci, download: APPID, style (twice), Referer, blocked image, original protected, unpaid,
    # no configuration, restricted as an attack
    ("alert", _SETUP, "-104 -105 -109 -108 -110 -154 -162 -163 -165"),
    # ci, download: APPID, signature (twice), blocked (five times), no APPID, no access
    ("alert", _SETUP, "-46154 -46618 -46619 -46617 -46620 -46621 -46627 -46646 -46642 -46661"),
    # ci, persistence: region, style, number of styles, account, signature (twice), refused
    ("alert", _SETUP, "-60972 -60967 -60957 -60948 -60938 -60932 -60936"),
    # ci, moderation: no role, no BizType
    ("alert", _SETUP, "-65014 -65016"),
    # media: 400, 404, 411, 501
    ("alert", _REQUEST, "InvalidArgument MissingContent InvalidContent InvalidHost InvalidUrl"),
    ("alert", _REQUEST, "ResourceNotFound ResourceNotSupported AuditingJobNotFound"),
    ("alert", _REQUEST, "MissingContentLength PermanentRedirect NotImplemented"),
    # ci, media (1021)
    ("alert", _REQUEST, "InvalidContentType"),
    # Of no page: seen with a failed preview of an encrypted document; and Tencent Cloud's
    # common codes of its API 3.0
    ("alert", _REQUEST, "InvalidParameter InvalidParameterValue MissingParameter"),
    ("alert", _REQUEST, "UnsupportedOperation"),
    # cos: the object
    ("alert", _REQUEST, "NoSuchKey NoSuchVersion NoSuchUpload InvalidObjectName KeyTooLong"),
    ("alert", _REQUEST, "EntityTooLarge EntityTooSmall InvalidRange InvalidRequest InvalidURI"),
    # cos: the image
    ("alert", _REQUEST, "ImageTooLarge ImageResolutionExceed InvalidImageFormat"),
    ("alert", _REQUEST, "InvalidImageSource InvalidPicOperations"),
    # cos: the request
    ("alert", _REQUEST, "InvalidBucketName InvalidRegionName TargetBucketNameInvalid"),
    ("alert", _REQUEST, "MalformedXML NotSupportedStorageClass SSEContentNotSupported"),
    ("alert", _REQUEST, "SsecDecryptHeaderInvalid SSEHeaderNotAllowed"),
    # ci, download: request, URL, host, type of file, range, message, size (twice)
    ("alert", _REQUEST, "-103 -106 -107 -113 -124 -166 -167 -168"),
    # ci, download: format (twice), size (twice), content, no image, range (twice), no data
    ("alert", _REQUEST, "-441 -443 -442 -447 -5062 -6101 -29033 -29034 -40168"),
    # ci, download: name of the bucket, no file
    ("alert", _REQUEST, "-46152 -46628"),
    # ci, persistence: parameters, number of rules, size, host, URL, no file, format
    ("alert", _REQUEST, "-60998 -60997 -60996 -60983 -60955 -60950 -62999"),
    # ci, document preview: encrypted, empty, unsupported, no such page, over 100 MB
    ("alert", _REQUEST, "-3006 -3008 -3011 -3015 -3075"),
    # ci, moderation: no file, decoding, size, resolution, requirements, no scenario
    ("alert", _REQUEST, "-61011 -65007 -65011 -65012 -65013 -65015"),
)

# ci, media: the number of a code and its name.
_NUMBERS = {
    "1007": "InternalError",
    "1010": "InvalidUrl",
    "1011": "InvalidContent",
    "1012": "MissingAuthorization",
    "1013": "InvalidAuthorization",
    "1014": "SignatureExpired",
    "1015": "InvalidArgument",
    "1016": "MissingContent",
    "1017": "InvalidHost",
    "1018": "AccessDenied",
    "1019": "SecretidNotExist",
    "1020": "SlowDown",
    "1021": "InvalidContentType",
    "1100": "BucketAlreadyBinded",
    "1103": "ResourceNotFound",
    "1106": "QueueNotFound",
    "1107": "TemplateNotFound",
    "1109": "BindedBucketNumLimit",
    "1110": "CreatedTemplateNumLimit",
    "1111": "MediaBucketUnBinded",
    "1112": "TemplateNameDuplicate",
    "1114": "ActiveWorkflowForbiddenUpdate",
    "1120": "WorkFlowNumLimit",
    "1124": "WriteTargetBucketDenied",
    "1145": "QueueNumLimit",
}


def _table() -> dict[str, tuple[Reaction, str]]:
    """Each documented code with its reaction and the reason."""
    named = {code: (reaction, why) for reaction, why, codes in ROWS for code in codes.split()}
    # cos: the one code with blanks
    named["Request has expired"] = ("alert", _SETUP)
    return named | {number: named[name] for number, name in _NUMBERS.items()}


CODES: Mapping[str, tuple[Reaction, str]] = _table()

# A cause that the same file or request has again. None of these is official: CI documents no
# messages of failed jobs.
_PERMANENT_WORDS = (
    r"encrypt",
    r"\bpassword",
    r"un-?supported|not? (?:be )?support|not (?:yet )?implemented|not allowed",
    r"\bcorrupt|\bdamaged?\b|\bbroken (?:file|image|video|audio|document|pdf|zip)|\bmalformed",
    r"decod\w* (?:error|fail)|fail\w*(?: to| in)? decod|(?:can ?not|can't|unable to) (?:be )?decod",
    r"moov atom|invalid data found",
    r"\bno such|\bnot? (?:be )?(?:found|exist)|n't exist|not been found",
    r"\b(?:http|status)(?: (?:status|code))*\W{0,3}40[0134]\b",
    r"\btoo (?:large|big|long|small|short|low|high)\b|\btoo many (?:pages|frames|files|rules)",
    r"exceed\w*\b.{0,40}\b(?:size|duration|resolution|length|dimensions?|pixels?|pages?|[kmg]b)\b",
    r"\b(?:size|duration|resolution|length|dimensions?|pixels?|pages?)\b.{0,40}\b(?:exceed|over)",
    r"\b(?:invalid|illegal|missing|bad) (?:\w+ ){0,3}?(?:argument|param|format|file|input|url|uri"
    r"|key|bucket|region|codec|value|image|video|audio|document|template|config|host|content"
    r"|request|signature|credential|authorization)",
    r"\b(?:param(?:eter)?s?|arguments?|format) (?:is |are )?(?:errors?|invalid|illegal|wrong)\b",
    r"\b(?:access|permission|authorization) (?:is )?denied|\bno permission|\bunauthori[sz]ed"
    r"|\bforbidden|\bauth(?:entication)? fail",
    r"\bis empty\b|\bempty (?:file|document|image|video|audio)|\bzero[- ]length",
    r"\boverdue|\barrears",
    r"加密|密码|不支持|不被支持|损坏|已损|解码(?:失败|错误)|无法(?:解码|解析|识别)",
    r"不存在|未找到|找不到|没有找到|为空|空文件",
    r"过大|过长|太大|太长|过小|过短|太小",
    r"(?:超过|超出).{0,12}(?:大小|时长|分辨率|尺寸|长度|页|像素|[KMG]B?\b)",
    r"(?:大小|时长|分辨率|尺寸|长度|页数|像素).{0,12}(?:超过|超出|超限)",
    r"(?:参数|格式|签名)(?:有误|错误|无效|非法|不正确)|(?:无效|非法|错误)的",
    r"无权限|没有权限|权限不足|无权|拒绝访问|欠费|封禁|违规",
)

# A cause of the moment, which such words do not change: "timeout: not found in the cache".
_TRANSIENT_WORDS = (
    r"\btimed?[ -]?out|deadline",
    r"\bbusy\b|\bthrottl|\btoo (?:many requests|frequent)|\brate limit|\brequest (?:rate|limit)",
    r"\bfrequen|\bqps\b|\bconcurren|\boverload|\bslow down",
    r"\btemporar|\btransient|\blater\b|\bunavailable\b",
    r"\bnetwork|\bconnection\b|\binterrupted",
    r"超时|频率|频控|限频|限流|过于频繁|并发|繁忙|稍后|暂时|网络|连接",
)

# The same of a code that no page names, its words taken apart: "Invalid Input Object".
_PERMANENT_CODE = (
    r"^(?:invalid|missing|illegal|unsupported|unauthori[sz]ed|no such|auth)\b|\bdenied\b"
)


@functools.lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Words of permanent causes, of transient ones, and of permanent causes in unknown codes."""
    return (
        re.compile("|".join(_PERMANENT_WORDS), re.IGNORECASE),
        re.compile("|".join(_TRANSIENT_WORDS), re.IGNORECASE),
        re.compile(_PERMANENT_CODE, re.IGNORECASE),
    )


def reaction_to(code: str, message: str = "") -> Reaction:
    """The reaction to a failure, by its code and by the cause that its message names.

    A code that may pass, or that no page documents, is not worth a retry if the message names a
    cause that stays: a file that is encrypted is so at the next attempt. The words of a code
    that no page documents are read like a message.
    """
    code = code.strip()
    reaction = CODES.get(code, (UNKNOWN_CODE, ""))[0]
    if reaction != "retry":
        return reaction
    words = "" if code in CODES else _words(code)
    permanent, transient, permanent_code = _patterns()
    text = f"{words}\n{message[:MESSAGE_CHARS]}"
    if transient.search(text):
        return "retry"
    return "alert" if permanent.search(text) or permanent_code.search(words) else "retry"


def _words(code: str) -> str:
    """The words of a code: "InvalidParameter.FileEncrypted" is four."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[._-]+", " ", code[:200])
    return re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", " ", apart).strip()
