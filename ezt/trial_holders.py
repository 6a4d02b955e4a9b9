"""``ezt trial-holder``: the invented holders with whom mystery applications try the interface (Article 17)."""

import typer

from ezt.options import AsJson, tell

trial_holder = typer.Typer(help="模拟办事用的测试持证主体（第十七条）", no_args_is_help=True)


@trial_holder.callback()
def _commands() -> None:
    pass


@trial_holder.command(help="登记虚构的测试持证主体，并为目录中每类证照各备一件测试证照；已有的不变")
def create(as_json: AsJson = False) -> None:
    from ezt.installation import check_ready
    from tasks.register.trial_holders import register_trial_holders

    check_ready()
    added = register_trial_holders("ezt")
    tell(as_json, {"certificates": added}, f"新增测试证照{added}件，不计入用证统计。")
