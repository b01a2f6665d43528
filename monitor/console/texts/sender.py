"""Words of the sender's pages."""

from __future__ import annotations

from collections.abc import Mapping

#: Key -> Chinese, English.
TEXTS: Mapping[str, tuple[str, str]] = {
    # Online entry
    "entry": ("在线录入", "Type in a record"),
    "entry_says": (
        "没有业务系统、或只需报送一两条时，在这里逐条填写。选择要填写的数据：",
        "For units without a system, or for a record or two. Choose what to type in:",
    ),
    "entry_nothing": (
        "本单位没有按标准报送的接入，不能在线录入；请运维增加一个不带映射的接入（mapping 为空）。",
        "None of your connections takes records in the standard's words; ask the operator for one without a mapping.",
    ),
    "entry_test": (
        "该接入尚在联调：提交的内容只校验、不作为正式数据。",
        "This connection is on trial: what you hand over is judged and is not data.",
    ),
    "entry_mends": ("改正回执中退回的记录：", "Mends a record that came back in receipt"),
    "entry_faults": ("有以下问题，改正后再提交：", "Mend these and hand over again:"),
    "entry_warnings": ("可以提交，但请留意：", "It may be handed over; note:"),
    "entry_fine": ("没有发现问题，可以提交", "Nothing is wrong with it; it may be handed over"),
    "entry_promise": (
        "有问题的不会保存，填写的内容都还在",
        "with a fault nothing is kept, and nothing you typed is lost",
    ),
    "entry_find": ("修改或删除已报送的记录", "Change or delete a record that you reported"),
    "part_must": ("必填", "Must be given"),
    "part_when": ("符合条件时必填", "Must be given in some cases"),
    "part_may": ("选填", "Optional"),
    "must": ("必填", "must"),
    "key_part": ("主键", "key"),
    "choose": ("请选择", "choose"),
    "example": ("样例", "example"),
    "personal": ("个人信息", "personal"),
    "hand_over": ("提交", "Hand over"),
    "check": ("只校验", "Only check"),
    "find": ("查找", "Find"),
    "delete": ("删除该记录", "Delete this record"),
    "sure": ("确认删除", "I am sure"),
    "not_sure": ("没有删除：请先勾选“确认删除”", "Not deleted: tick that you are sure"),
    "kept": ("已收到", "Received"),
}
