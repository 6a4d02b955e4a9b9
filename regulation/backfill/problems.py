"""What can be wrong with a paper certificate's data, each with a stable code and a sentence that says how to mend it.

Article 11: old paper certificates are backfilled (信息补录) when their holder's matter is handled. Problems are stored
and shown outside the encrypted columns: a sentence names a field, a place or a limit, never a value.
"""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """Whether a row with the problem is kept out of the register (``ERROR``) or its reviewer is told (``REMARK``)."""

    ERROR = "error"
    REMARK = "remark"


class ProblemCode(StrEnum):
    """Stable: codes are stored with batches and counted over the years."""

    # A cell.
    MISSING = "missing"
    BLANK = "blank"
    WRONG_CELL = "wrong-cell"
    EXCEL_ERROR = "excel-error"
    DIGITS_LOST = "digits-lost"
    NUMBER_CELL = "number-cell"
    CHARACTER_LOST = "character-lost"
    CONTROL_CHARACTER = "control-character"
    LINE_BREAK = "line-break"
    FORMULA = "formula"
    TOO_LONG = "too-long"
    PLACEHOLDER = "placeholder"
    # A date.
    DATE_UNREADABLE = "date-unreadable"
    DATE_TWO_DIGIT_YEAR = "date-two-digit-year"
    DATE_INCOMPLETE = "date-incomplete"
    DATE_YEAR_LAST = "date-year-last"
    DATE_RANGE = "date-range"
    DATE_IMPOSSIBLE = "date-impossible"
    DATE_NO_END_HERE = "date-no-end-here"
    DATE_IN_FUTURE = "date-in-future"
    DATE_TOO_EARLY = "date-too-early"
    # An amount, a choice.
    AMOUNT_UNREADABLE = "amount-unreadable"
    NOT_A_CHOICE = "not-a-choice"
    # A holder's number.
    NUMBER_SHAPE = "number-shape"
    NUMBER_BIRTH_DATE = "number-birth-date"
    NUMBER_CHECK = "number-check"
    NUMBER_KIND_UNREADABLE = "number-kind-unreadable"
    NUMBER_KIND_UNCLEAR = "number-kind-unclear"
    NUMBER_KIND_DIFFERS = "number-kind-differs"
    NUMBER_KIND_BY_SHAPE = "number-kind-by-shape"
    NUMBER_BEFORE_2015 = "number-before-2015"
    NUMBER_CONVERTED = "number-converted"
    REGION_UNKNOWN = "region-unknown"
    # A row.
    TYPE_UNKNOWN = "type-unknown"
    COLUMN_UNKNOWN = "column-unknown"
    AUTHORITY_UNKNOWN = "authority-unknown"
    HOLDER_KIND_UNREADABLE = "holder-kind-unreadable"
    HOLDER_KIND_DIFFERS = "holder-kind-differs"
    HOLDER_KIND_NOT_ALLOWED = "holder-kind-not-allowed"
    HOLDER_NOT_SPOUSE = "holder-not-spouse"
    HOLDERS_DIFFER = "holders-differ"
    HOLDERS_WITHOUT_NUMBER = "holders-without-number"
    SOLE_OF_SEVERAL = "sole-of-several"
    ISSUED_BEFORE_BIRTH = "issued-before-birth"
    LATER_THAN_ISSUE = "later-than-issue"
    ENDS_BEFORE_ISSUE = "ends-before-issue"
    EXPIRED = "expired"
    VALIDITY_NOT_BY_RULE = "validity-not-by-rule"
    VALIDITY_BY_RULE = "validity-by-rule"
    BIRTH_DATE_DIFFERS = "birth-date-differs"
    SEX_UNREADABLE = "sex-unreadable"
    SEX_DIFFERS = "sex-differs"
    NUMBER_DIFFERS = "number-differs"
    DISABILITY_DIFFERS = "disability-differs"
    # A file, and the register.
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REGISTERED = "registered"
    REGISTER_DIFFERS = "register-differs"
    PAPER_NEWER = "paper-newer"
    REGISTER_NEWER = "register-newer"
    HELD_OTHERWISE = "held-otherwise"
    # The headings.
    HEADING_EMPTY = "heading-empty"
    HEADING_AMBIGUOUS = "heading-ambiguous"
    HEADING_DOUBLED = "heading-doubled"
    HEADING_MISSING = "heading-missing"


# ``{field}`` is the field's Chinese name or the heading as it stands, ``{detail}`` what the rule adds.
SENTENCES = {
    ProblemCode.MISSING: "“{field}”未填，这是必填项；请按纸质证照补填。",
    ProblemCode.BLANK: "“{field}”未填；纸质证照上没有的可以空着，有的请补填。",
    ProblemCode.WRONG_CELL: "“{field}”的单元格是日期、时间或逻辑值，不是文字；请将该列设为“文本”格式后重新填写。",
    ProblemCode.EXCEL_ERROR: "“{field}”是表格公式的出错值（如#N/A）；请改填纸质证照上的内容。",
    ProblemCode.DIGITS_LOST: (
        "“{field}”被表格软件当作数值，15位以后的数字已经丢失且无法恢复；请将该列设为“文本”格式，照纸质证照重新填写。"
    ),
    ProblemCode.NUMBER_CELL: "“{field}”的单元格是数值，前面的0可能已被略去；请核对，最好将该列设为“文本”格式。",
    ProblemCode.CHARACTER_LOST: (
        "“{field}”{detail}是无法识别的字（生僻字或转码时丢失）；请用支持生僻字的输入法照纸质证照重新填写。"
    ),
    ProblemCode.CONTROL_CHARACTER: "“{field}”{detail}是看不见的控制字符；请删除该项内容后重新键入，不要粘贴。",
    ProblemCode.LINE_BREAK: "“{field}”中有换行，已改为空格；请核对。",
    ProblemCode.FORMULA: "“{field}”以=、+、-或@开头，像是表格公式；请删去开头的符号，或照纸质证照重新填写。",
    ProblemCode.TOO_LONG: "“{field}”超过{detail}个字；请核对是否填错了列。",
    ProblemCode.PLACEHOLDER: "“{field}”填的是“无”“见附件”一类的字样或者符号，不是具体内容；请照纸质证照填写。",
    ProblemCode.DATE_UNREADABLE: "“{field}”不是能识别的日期；请写成2019-03-05的样式。",
    ProblemCode.DATE_TWO_DIGIT_YEAR: "“{field}”的年份不足4位，无法判断世纪；请写成4位年份，如2019-03-05。",
    ProblemCode.DATE_INCOMPLETE: "“{field}”缺少月或日；请照纸质证照补全，如2019-03-05。",
    ProblemCode.DATE_YEAR_LAST: "“{field}”的年份写在后面，月、日无法分清；请按年、月、日的次序填写，如2019-03-05。",
    ProblemCode.DATE_RANGE: "“{field}”填了起止两个日期；请分成“有效期自”“有效期至”两列填写。",
    ProblemCode.DATE_IMPOSSIBLE: "“{field}”的日期不存在（如2月30日）；请照纸质证照核对。",
    ProblemCode.DATE_NO_END_HERE: "“{field}”应填日期，不能填“长期”；请照纸质证照核对。",
    ProblemCode.DATE_IN_FUTURE: "“{field}”晚于今天；请照纸质证照核对。",
    ProblemCode.DATE_TOO_EARLY: "“{field}”早于{detail}；请照纸质证照核对年份。",
    ProblemCode.AMOUNT_UNREADABLE: "“{field}”不是能识别的金额；请写成50万元、1000.00元的样式，并写明币种。",
    ProblemCode.NOT_A_CHOICE: "“{field}”只能是{detail}之一；请核对。",
    ProblemCode.NUMBER_SHAPE: "“{field}”的位数或字符不对；请照证件核对。",
    ProblemCode.NUMBER_BIRTH_DATE: "“{field}”中的出生日期不存在；请照证件核对。",
    ProblemCode.NUMBER_CHECK: "“{field}”的校验位不符，可能有抄写错误；请照证件逐位核对。",
    ProblemCode.NUMBER_KIND_UNREADABLE: "“{field}”不是能识别的证件种类；请填{detail}之一。",
    ProblemCode.NUMBER_KIND_UNCLEAR: "“{field}”按样式可能是{detail}；请增加“证件类型”列写明种类。",
    ProblemCode.NUMBER_KIND_DIFFERS: "“{field}”与所填的证件类型不符，按样式像是{detail}；请核对两列。",
    ProblemCode.NUMBER_KIND_BY_SHAPE: "“{field}”按样式认作{detail}；请核对，或增加“证件类型”列写明种类。",
    ProblemCode.NUMBER_BEFORE_2015: (
        "“{field}”是{detail}（2015年以前的老号码），按其本身种类录入；持证主体已有统一社会信用代码的，请改填代码。"
    ),
    ProblemCode.NUMBER_CONVERTED: "“{field}”是15位旧身份号码，已换算为18位，原号码保留；请核对。",
    ProblemCode.REGION_UNKNOWN: "“{field}”开头的地区代码未知；请核对证件种类。",
    ProblemCode.TYPE_UNKNOWN: "“{field}”不是证照目录中的类型；请按目录中的证照名称或类型代码填写。",
    ProblemCode.COLUMN_UNKNOWN: "“{field}”列不是该类证照的内容，不会录入；如属该类证照的项目，请改用目录中的名称。",
    ProblemCode.AUTHORITY_UNKNOWN: (
        "“{field}”不在已知的颁证机构中；请填全称，机构已更名的，请综合管理单位先登记其原名称。"
    ),
    ProblemCode.HOLDER_KIND_UNREADABLE: "“{field}”不是能识别的持证主体类型；请填自然人、法人或非法人组织。",
    ProblemCode.HOLDER_KIND_DIFFERS: "“{field}”与证件号码的种类不符；请核对两列。",
    ProblemCode.HOLDER_KIND_NOT_ALLOWED: "“{field}”属于{detail}，不能是该类证照的持证主体；请核对证照类型和证件号码。",
    ProblemCode.HOLDER_NOT_SPOUSE: "“{field}”既不是男方也不是女方；请照纸质证照核对。",
    ProblemCode.HOLDERS_DIFFER: (
        "“{field}”的个数与持证主体的个数不同；多个持证主体的名称和号码请按相同的次序填写，用顿号隔开。"
    ),
    ProblemCode.HOLDERS_WITHOUT_NUMBER: (
        "“{field}”只有一个，名称却像是几个持证主体；没有号码的查不到这件证照，请照纸质证照补填，用顿号隔开。"
    ),
    ProblemCode.SOLE_OF_SEVERAL: "“{field}”是单独所有，持证主体却有几个；请照纸质证照核对。",
    ProblemCode.ISSUED_BEFORE_BIRTH: "“{field}”早于持证主体的出生日期；请照纸质证照核对日期和号码。",
    ProblemCode.LATER_THAN_ISSUE: "“{field}”晚于发证日期；请照纸质证照核对。",
    ProblemCode.ENDS_BEFORE_ISSUE: "“{field}”早于发证日期或有效期起始日；请照纸质证照核对。",
    ProblemCode.EXPIRED: "“{field}”已过；按已过期的证照补录。",
    ProblemCode.VALIDITY_NOT_BY_RULE: (
        "“{field}”与该类证照的有效期（{detail}）不符；请照纸质证照核对，无误的按纸质证照录入。"
    ),
    ProblemCode.VALIDITY_BY_RULE: "“{field}”未填，已按该类证照的有效期（{detail}）推算；请照纸质证照核对。",
    ProblemCode.BIRTH_DATE_DIFFERS: "“{field}”与身份号码中的出生日期不符；请照纸质证照核对两项。",
    ProblemCode.SEX_UNREADABLE: "“{field}”不是能识别的性别；请填男或女。",
    ProblemCode.SEX_DIFFERS: "“{field}”与身份号码表示的性别不符；请照纸质证照核对。",
    ProblemCode.NUMBER_DIFFERS: "“{field}”应与持证主体的证件号码一致；请照纸质证照核对两项。",
    ProblemCode.DISABILITY_DIFFERS: (
        "“{field}”应为身份号码加1位残疾类别和1位残疾等级，且与类别、等级两项一致；请照纸质证照核对。"
    ),
    ProblemCode.DUPLICATE: "与第{detail}行完全相同，只录入一次。",
    ProblemCode.CONFLICT: "与第{detail}行证照编号相同而内容不同；请照纸质证照核对，只保留正确的一行。",
    ProblemCode.REGISTERED: "电子证照库中已有内容相同的证照，不再录入。",
    ProblemCode.REGISTER_DIFFERS: (
        "电子证照库中已有同一证照，{detail}不同；请照纸质证照核对，库中有误的按异议核查程序处理。"
    ),
    ProblemCode.PAPER_NEWER: "电子证照库中同一编号的证照发证日期较早，{detail}不同；请核对是否为换发的证照。",
    ProblemCode.REGISTER_NEWER: "电子证照库中同一编号的证照发证日期较晚；纸质证照可能已被换发，不再录入，请核对。",
    ProblemCode.HELD_OTHERWISE: (
        "“{field}”在登记中是另一姓名或名称的；请对照证件核对号码和姓名（名称），确已更名的不用改。"
    ),
    ProblemCode.HEADING_EMPTY: "{field}没有列名，不会录入；请补写列名或删去该列。",
    ProblemCode.HEADING_AMBIGUOUS: "列名“{field}”可能是{detail}；请改用其中一个名称。",
    ProblemCode.HEADING_DOUBLED: "列名“{field}”与“{detail}”是同一项内容；请只保留一列。",
    ProblemCode.HEADING_MISSING: "缺少“{field}”列，这是必填项；请补上该列。",
}
REMARKS = frozenset(
    {
        ProblemCode.BLANK,
        ProblemCode.NUMBER_CELL,
        ProblemCode.LINE_BREAK,
        ProblemCode.NUMBER_KIND_BY_SHAPE,
        ProblemCode.NUMBER_BEFORE_2015,
        ProblemCode.NUMBER_CONVERTED,
        ProblemCode.REGION_UNKNOWN,
        ProblemCode.COLUMN_UNKNOWN,
        ProblemCode.HOLDERS_WITHOUT_NUMBER,
        ProblemCode.SOLE_OF_SEVERAL,
        ProblemCode.LATER_THAN_ISSUE,
        ProblemCode.EXPIRED,
        ProblemCode.VALIDITY_NOT_BY_RULE,
        ProblemCode.VALIDITY_BY_RULE,
        ProblemCode.DUPLICATE,
        ProblemCode.REGISTERED,
        # It names nobody: what stands there under which name, only the officer sees who decides.
        ProblemCode.HELD_OTHERWISE,
        ProblemCode.HEADING_EMPTY,
    }
)


class Finding(NamedTuple):
    """What is wrong with a value, wherever it stands."""

    code: ProblemCode
    detail: str = ""


class Problem(NamedTuple):
    """What is wrong in which field. ``field`` is a field's code, or a heading as it stands.

    >>> problem = Problem("issued_on", ProblemCode.DATE_IMPOSSIBLE)
    >>> problem.severity.value, problem.in_words("发证日期")
    ('error', '“发证日期”的日期不存在（如2月30日）；请照纸质证照核对。')
    """

    field: str
    code: ProblemCode
    detail: str = ""

    @property
    def severity(self) -> Severity:
        return Severity.REMARK if self.code in REMARKS else Severity.ERROR

    def in_words(self, field_name: str) -> str:
        """What is wrong and how to mend it, in Chinese; ``field_name`` is what people call the field."""
        return SENTENCES[self.code].format(field=field_name, detail=self.detail)
