// The pages of Prefect that staff see (runs, a run, the deployments, the form that starts one) in Chinese: deployments by
// the names of their flows, and labels of Prefect's own, each as it stands there. What is not listed stays English; what
// people typed, logs and code are left alone.
const WORDS = {
  "approver": "指定审签人",
  "backfill-intake": "登记补录",
  "calendar-publication": "公布放假安排",
  "case-handover": "移交办件",
  "check-item-list": "维护抽查事项",
  "deadline-watch": "时限巡查",
  "go-live-check": "上线核对",
  "go-live-report": "登记系统上线",
  "inspector-conflict": "申报检查回避",
  "inspector-register": "维护检查人员名录",
  "liaison-filing": "专人备案",
  "liaison-intake": "专人备案登记",
  "mystery-application": "模拟办事",
  "objection-batch": "批量异议",
  "objection-case": "异议核查",
  "objection-intake": "登记异议",
  "holder-comment": "登记持证主体意见",
  "objection-contact": "变更异议联系方式",
  "officer-leave": "登记休假",
  "officer-leave-change": "变更、结束休假",
  "online-supervision": "电子督查",
  "paper-backfill": "纸质证照补录",
  "paper-backfill-batch": "批量补录",
  "paper-exception": "登记法定纸质例外",
  "paper-exception-end": "终止法定纸质例外",
  "paper-report": "群众反映",
  "rectification": "督促整改",
  "rule-revision": "制度修订",
  "rule-revision-intake": "制度修订登记",
  "spot-check": "随机抽查",
  "spot-check-schedule": "抽查日程",
  "spot-check-start": "发起抽查",
  "supervision-report": "监督报告",
  "system-review": "系统评审",
  "system-review-intake": "系统评审登记",
  "system-round": "系统巡检",
  "use-list-proposal": "用证清单",
  "use-list-watch": "清单巡查",
  "visit": "现场体验登记",

  "Dashboard": "概览",
  "Runs": "运行",
  "Flows": "流程",
  "Deployments": "流程部署",
  "Work Pools": "工作池",
  "Blocks": "配置块",
  "Variables": "变量",
  "Automations": "自动化规则",
  "Event Feed": "事件",
  "Concurrency": "并发",
  "Settings": "设置",
  "Login": "登录",

  "Completed": "已完成",
  "Running": "正在运行",
  "Scheduled": "已排定",
  "Late": "迟了",
  "Pending": "准备运行",
  "Suspended": "等待答复",
  "Resuming": "即将继续",
  "Failed": "失败",
  "Crashed": "意外中断",
  "Cancelling": "正在取消",
  "Cancelled": "已取消",
  "Ready": "可用",
  "Not Ready": "没有执行器",

  "Past week (default)": "近一周（默认）",
  "Past 7 days": "近7天",
  "Date Range": "时间",
  "States": "状态",
  "All run states": "全部状态",
  "All except scheduled": "全部（未到时间的除外）",
  "All flows": "全部流程",
  "All deployments": "全部流程部署",
  "All pools": "全部工作池",
  "Tags": "标签",
  "All tags": "全部标签",
  "Search": "查找",
  "Search by flow run name": "按运行的名称查找",
  "Search by run name": "按运行的名称查找",
  "Search deployments": "查找流程",
  "Search deployments...": "查找流程",
  "Flow runs": "流程运行",
  "Task runs": "步骤运行",
  "Hide subflows": "不列子流程",
  "Newest to oldest": "新的在前",
  "Oldest to newest": "旧的在前",
  "A to Z": "按名称",
  "Items per page": "每页",
  "Page": "第",
  "of": "页，共",
  "0 Parameters": "没有参数",
  "1 Parameter": "1个参数",
  "0 Task runs": "没有步骤",
  "Flow": "流程",
  "Deployment": "流程部署",
  "Work Pool": "工作池",
  "Work Queue": "队列",
  "None": "无",

  "Retry": "重新运行",
  "Resume": "继续",
  "Cancel": "取消",
  "Copy to new run": "照此再运行",
  "Copy ID": "复制编号",
  "Delete": "删除",
  "Tab": "分页",
  "Logs": "日志",
  "Task Runs": "步骤运行",
  "Subflow Runs": "子流程",
  "Artifacts": "展示",
  "Details": "详情",
  "Parameters": "参数",
  "Job Variables": "作业变量",
  "Level: all": "全部级别",
  "This flow run did not generate any task or subflow runs": "这次运行没有步骤",
  "This flow run has not yet generated any task or subflow runs": "这次运行还没有步骤",
  "Recenter graph (c)": "居中",
  "Toggle fullscreen (f)": "全屏",

  "Status": "状态",
  "Activity": "近况",
  "Schedules": "日程",
  "Schedule": "日程",
  "Action": "操作",
  "Run": "运行",
  "Quick run": "立即运行",
  "Custom run": "填写后运行",
  "Upcoming": "将要运行",
  "Configuration": "配置",
  "Description": "说明",
  "Next Run": "下次运行",
  "Triggers": "触发规则",
  "Add": "添加",
  "Created": "创建",
  "Last Updated": "更新",
  "Entrypoint": "程序",
  "Path": "路径",
  "Concurrency Limit": "并发上限",

  "Run Name": "运行的名称",
  "Validate parameters": "核对参数",
  "Start": "何时运行",
  "Now": "现在",
  "Later": "以后",
  "Additional Options": "其他选项",
  "No items selected": "没有选择",
  "Submit": "提交",

  "Cancel Flow Run": "取消运行",
  "Current Flow Run State": "现在的状态",
  "Confirm": "确定",
  "Close": "关闭",
  "Flow run cancelled": "已请求取消运行",
  "state.": "状态。",
  "Oops. Something went wrong.": "还没有填写口令，或者没有连上服务",
  "You can use Prefect Cloud for free, anytime.": "请先填写口令登录；登录后仍有这句话的，重新打开本页，再不行请告诉管理员。",
  "Please check your connection and try again.": "请先填写口令登录；登录后仍有这句话的，重新打开本页，再不行请告诉管理员。"
};
// Sentences with a name in them, as dialogs say them.
const SENTENCES = [
  [/^Delete Flow Run$/, "删除运行"],
  [/^This will put flow run (.+) into a$/, "将把运行“$1”改为"],
  [/^This will retry flow run (.+)\.$/, "将重新运行“$1”。"],
  [/^Retry (.+)\?$/, "重新运行“$1”？"],
  [/^Are you sure you want to delete (.+)\?$/, "确定删除“$1”？删除后不能恢复。"]
];
const ATTRIBUTES = ["placeholder", "title", "aria-label"];
const LEFT_ALONE = [
  "textarea", "pre", "code", "[contenteditable]", ".cm-editor", ".markdown-renderer", ".p-markdown-renderer",
  // Names and tags that whoever started a run has given it.
  ".flow-run-bread-crumbs__flow-run-link", ".page-heading-flow-run .page-heading__crumbs span:last-child",
  ".state-list-item__tags"
].join();

function inChinese(said) {
  const label = said.trim();
  if (Object.hasOwn(WORDS, label)) return said.replace(label, () => WORDS[label]);
  const sentence = SENTENCES.find(([form]) => form.test(label));
  return sentence ? label.replace(...sentence) : said;
}

function translateText(text) {
  const said = inChinese(text.data);
  if (said !== text.data && !text.parentElement?.closest(LEFT_ALONE)) text.data = said;
}

function translateAttributes(element) {
  for (const name of ATTRIBUTES) {
    const given = element.getAttribute(name);
    if (given !== null && inChinese(given) !== given) element.setAttribute(name, inChinese(given));
  }
}

function translate(node) {
  if (node.nodeType === Node.TEXT_NODE) translateText(node);
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  translateAttributes(node);
  const within = document.createTreeWalker(node, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  while (within.nextNode()) {
    const each = within.currentNode;
    if (each.nodeType === Node.TEXT_NODE) translateText(each);
    else translateAttributes(each);
  }
}

// The way back to where decisions are taken.
function leadToTheDesk() {
  const menu = document.querySelector(".p-context-sidebar__body");
  const desk = document.querySelector("meta[name=ezt-desk]")?.content;
  if (!menu || !desk || menu.querySelector("[data-desk]")) return;
  const entries = [["工作台：待办", "/desk"], ["工作台：待阅事项", "/desk/matters"]].map(([name, path]) => {
    const entry = document.createElement("a");
    entry.className = "p-context-nav-item";
    entry.dataset.desk = path;
    entry.href = desk + path;
    entry.textContent = name;
    return entry;
  });
  menu.prepend(...entries);
}

new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === "childList") change.addedNodes.forEach(translate);
    else if (change.type === "attributes") translateAttributes(change.target);
    else translateText(change.target);
  }
  leadToTheDesk();
}).observe(document, {
  attributes: true, attributeFilter: ATTRIBUTES, characterData: true, childList: true, subtree: true
});
