// Every word of the page, in both languages; `word` gives it in the one that is chosen.

import { keep, recall } from "./keep.js";

const WORDS = {
  ask: ["提问", "Ask"],
  approvals: ["批准", "Approve"],
  live: ["现场", "Live"],
  reports: ["报告", "Reports"],
  box: ["本机", "Box"],
  skip: ["跳到主要内容", "Skip to the content"],
  sections: ["栏目", "Sections"],
  looks: ["显示与令牌", "Display and token"],
  close: ["关闭", "Close"],
  away: ["连不上服务器。已输入的内容会保留,恢复后自动继续。", "The server is away. What you typed is kept; this page goes on when it is back."],
  back: ["已重新连上服务器。", "The server is back."],
  question: ["您的问题", "Your question"],
  placeholder: ["想问什么?", "Ask about the panel"],
  takePhoto: ["拍照或选图", "Photo"],
  removePhoto: ["移除照片", "Remove the photo"],
  photoReady: ["照片已就绪", "The photo is ready"],
  notPicture: ["这个文件不是图片,请换一个。", "This file is no picture; choose another."],
  send: ["提问", "Ask"],
  newTalk: ["新对话", "New conversation"],
  newTalkSaid: ["已开始新对话", "A new conversation has begun"],
  photograph: ["拍摄面板", "Photograph the panel"],
  history: ["对话", "Conversation"],
  welcome: ["拍下面板,问一句。", "Photograph a panel and ask."],
  welcomeMore: [
    "回答来自照片、报警记录和手册,每一句都带出处。没有记载的,会直接说没有。",
    "Answers come from the photo, the alarm log and the manuals, each with its source. What they do not say is not made up.",
  ],
  earlier: ["之前的提问", "Earlier questions"],
  readOff: ["{0} 个读数 · {1} 个指示灯", "{0} readings · {1} lamps"],
  example1: ["这个报警代表什么?最近三天有没有类似记录?该怎么处理?", "What does this alarm mean? Did it happen in the last three days? What should I do?"],
  example2: ["面板上哪些读数超限?", "Which readings on this panel are out of range?"],
  example3: ["最近一周哪个报警最多?", "Which alarm was the most frequent last week?"],
  queued: ["排队中", "Waiting"],
  ahead: ["前面还有 {0} 个,约 {1} 秒", "{0} ahead, about {1} s"],
  running: ["处理中", "Working"],
  finished: ["已回答", "Answered"],
  failed: ["没有回答", "Not answered"],
  interrupted: ["已中断", "Interrupted"],
  cancel: ["停止", "Stop"],
  again: ["再问一次", "Ask again"],
  steps: ["过程({0} 步)", "Steps ({0})"],
  secondsTaken: ["用时 {0} 秒", "took {0} s"],
  answeredBy: ["由 {0} 回答", "answered by {0}"],
  notes: ["说明", "Notes"],
  openPhoto: ["查看照片上读到的内容", "See what was read on the photo"],
  photoOf: ["面板照片,已扶正", "Photo of the panel, upright"],
  seen: ["照片上读到的内容", "What the photo shows"],
  readings: ["读数", "Readings"],
  lamps: ["指示灯", "Lamps"],
  alarms: ["报警行", "Alarm rows"],
  texts: ["文字", "Texts"],
  buttons: ["按钮", "Buttons"],
  check: ["待核对", "To check"],
  noLabel: ["(无标签)", "(no label)"],
  noValue: ["无数值", "no value"],
  shownKinds: ["图上显示", "Shown on the picture"],
  bigger: ["放大", "Enlarge"],
  smaller: ["适合屏幕", "Fit to screen"],
  lit: ["亮", "lit"],
  unlit: ["灭", "off"],
  unsure: ["无法判断", "cannot be told"],
  source: ["出处 {0}", "Source {0}"],
  page: ["第 {0} 页", "page {0}"],
  pageImage: ["{0} 第 {1} 页,引文已标出", "{0} page {1}, with the quote marked"],
  event: ["事件 {0}", "Event {0}"],
  neighbours: ["前后事件", "Events before and after"],
  time: ["时间", "Time"],
  tag: ["位号", "Tag"],
  text: ["内容", "Text"],
  priority: ["优先级", "Priority"],
  state: ["状态", "State"],
  area: ["区域", "Area"],
  value: ["数值", "Value"],
  loading: ["正在读取…", "Loading…"],
  nothing: ["没有", "Nothing here"],
  refresh: ["刷新", "Refresh"],
  waitingCalls: ["等待批准的操作", "Calls that wait for you"],
  noCalls: ["没有等待批准的操作。", "Nothing waits for approval."],
  callsMore: [
    "批准只对这一次操作、这一组数值有效,过期作废。设备动作后会回读确认。",
    "An approval holds for exactly this call and these values, once, until it expires. The device is read back afterwards.",
  ],
  device: ["设备", "Device"],
  point: ["测点", "Point"],
  reason: ["原因", "Reason"],
  until: ["有效至", "Valid until"],
  left: ["还剩 {0}", "{0} left"],
  expired: ["已过期", "expired"],
  hold: ["按住批准", "Hold to approve"],
  holding: ["继续按住…", "Keep holding…"],
  pressAgain: ["再按一次确认批准", "Press again to approve"],
  unsureCalls: ["发出后没有得到确认,请到现场查看", "Sent and not confirmed: have a look at the device"],
  deny: ["拒绝", "Deny"],
  approved: ["已批准", "Approved"],
  denied: ["已拒绝", "Denied"],
  held: ["按住 {0} 秒才会生效", "It takes effect after {0} s"],
  came_confirmed: ["已回读确认", "confirmed by read-back"],
  came_failed: ["没有完成", "not done"],
  came_unsure: ["已发出,未得到确认", "sent, not confirmed"],
  came_refused: ["已拒绝", "refused"],
  came_expired: ["已过期,没有执行", "expired, not done"],
  came_waits: ["等待批准", "waits for approval"],
  came_repeated: ["重复的指令,没有再发", "said before, not sent again"],
  came_told: ["", ""],
  knownLater: ["后来查明({1}):{0}", "known since {1}: {0}"],
  latestReadings: ["最新读数", "Latest readings"],
  latestEvents: ["最新事件", "Latest events"],
  liveMore: ["每 {0} 秒更新一次;更新于 {1}", "Updated every {0} s; last at {1}"],
  noReadings: ["还没有读数。`watchkeeper watch` 会把看到的记下来。", "No readings yet; `watchkeeper watch` keeps what it sees."],
  noEvents: ["没有事件。", "No events."],
  pause: ["暂停更新", "Pause"],
  resume: ["继续更新", "Resume"],
  reportsMore: ["按计划写成的维护报告。", "Maintenance reports, written on schedule."],
  noReports: ["还没有报告。用 `watchkeeper report` 写一份。", "No reports yet; write one with `watchkeeper report`."],
  open: ["打开", "Open"],
  pdf: ["PDF", "PDF"],
  schedules: ["计划", "Schedules"],
  noSchedules: ["没有计划。", "No schedules."],
  nextRun: ["下次 {0}", "next {0}"],
  machine: ["机器", "Machine"],
  machineHint: ["机器名,* 为全部", "Name of a machine, * for all"],
  when: ["时间", "When"],
  whenHint: ["例如:每周一 6:00", "For example: every Monday 6:00"],
  name: ["名称", "Name"],
  add: ["添加", "Add"],
  removeIt: ["删除", "Remove"],
  sure: ["再按一次确认", "Press again to confirm"],
  health: ["状态", "Health"],
  rung: ["正在回答的模型", "Model that answers"],
  falls: ["不能回答的模型", "Models that cannot answer"],
  queue: ["排队", "Queue"],
  queueTold: ["{0} 个等待,{1} 个计划任务", "{0} waiting, {1} scheduled"],
  disk: ["磁盘剩余", "Disk free"],
  heat: ["温度", "Heat"],
  up: ["已运行", "Running for"],
  trail: ["记录检查", "Trail checked"],
  modules: ["模块", "Modules"],
  noModules: ["没有另外安装的模块。", "No modules are installed."],
  weights: ["模型文件", "Weights"],
  swap: ["换用 {0}", "Use {0}"],
  rollback: ["退回上一版", "Roll back"],
  inUse: ["使用中", "in use"],
  state_present: ["已就绪", "here"],
  state_missing: ["没有", "not here"],
  swapped: ["现在由 {0} 工作", "{0} answers now"],
  trying: ["正在试用新版本…", "The new version is being tried…"],
  look: ["外观", "Look"],
  lookAuto: ["跟随系统", "As the system"],
  lookLight: ["浅色", "Light"],
  lookDark: ["深色", "Dark"],
  lookContrast: ["高对比", "High contrast"],
  size: ["按键大小", "Size of controls"],
  sizeNormal: ["普通", "Normal"],
  sizeGlove: ["戴手套", "Gloves"],
  language: ["语言", "Language"],
  token: ["令牌", "Token"],
  tokenMore: ["服务器要求令牌时在此输入。", "Enter one where the server asks for it."],
  tokenNeeded: ["服务器需要令牌。请向管理员索取(watchkeeper tokens add)。", "The server asks for a token; your administrator makes one (watchkeeper tokens add)."],
  asWhom: ["当前身份:{0}({1})", "You are {0} ({1})"],
  role_ask: ["可提问", "may ask"],
  role_approve: ["可批准", "may approve"],
  role_admin: ["管理员", "administrator"],
  save: ["保存", "Save"],
  saved: ["已保存", "Saved"],
  forget: ["清除", "Forget"],
  status_ok: ["正常", "well"],
  status_degraded: ["降级运行", "with limits"],
  status_starting: ["正在启动", "starting"],
  seconds: ["{0} 秒", "{0} s"],
  minutes: ["{0} 分", "{0} min"],
  hours: ["{0} 小时", "{0} h"],
  days: ["{0} 天", "{0} d"],
  red: ["红", "red"], amber: ["橙", "amber"], yellow: ["黄", "yellow"], green: ["绿", "green"], blue: ["蓝", "blue"],
  white: ["白", "white"], grey: ["灰", "grey"], magenta: ["品红", "magenta"], dark: ["暗", "dark"],
};

const FLAGS = {
  unlabelled: ["没有标签", "no label"],
  ambiguous: ["标签不确定", "the label may be another one"],
  "unit-unsure": ["单位不确定", "the unit may be another one"],
  "no-unit": ["单位没有读到", "its unit was not read"],
  disagrees: ["两次识读不一致", "two readings of it disagree"],
  clipped: ["数字可能被截断", "digits may be cut off"],
  "low-score": ["识读把握不大", "hard to read"],
  "bad-format": ["数字格式可疑", "written unlike its kind"],
  "out-of-range": ["超出可能的范围", "beyond what it can be"],
  "over-range": ["指针超出刻度", "the pointer is beyond its scale"],
  "needle-disagrees": ["指针与印出的数值不符", "pointer and printed value disagree"],
  between: ["转轮停在两个数字之间", "a wheel stands between two digits"],
  jumped: ["与上次的数值相差可疑", "differs suspiciously from before"],
  "no-scale": ["没有刻度,按比例估计", "estimated, without a scale"],
};

let index = 0;
useLanguage(recall("language") ?? (/^zh/i.test(navigator.language) ? "zh" : "en"));

/** `zh` or `en`. */
export const language = () => (index === 0 ? "zh" : "en");

export function useLanguage(name, remember = false) {
  index = name === "en" ? 1 : 0;
  if (remember) keep("language", language());
  document.documentElement.lang = index === 0 ? "zh-CN" : "en";
}

/** A word of ours; {0}, {1} are replaced. */
export function word(name, ...values) {
  const said = WORDS[name];
  if (!said) return name;
  return said[index].replace(/\{(\d)\}/g, (_, number) => String(values[number] ?? ""));
}

/** What a flag of a reading means. */
export const flagWord = (flag) => FLAGS[flag]?.[index] ?? flag;

/** A sentence that came in both languages, or as plain text. */
export const said = (both) => (typeof both === "string" ? both : (both?.[language()] ?? both?.en ?? ""));

/** A moment as people of this language read it; `2024-12-15T20:41:00+08:00`, or seconds since 1970. */
export function moment(at, { date = true } = {}) {
  const when = new Date(typeof at === "number" ? at * 1000 : at);
  if (Number.isNaN(when.getTime())) return String(at ?? "");
  const form = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
  const tongue = index === 0 ? "zh-CN" : "en-GB";
  if (!date) return when.toLocaleTimeString(tongue, form);
  const year = when.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  return when.toLocaleString(tongue, { ...year, month: "2-digit", day: "2-digit", ...form });
}

/** A span as a person says it. */
export function span(seconds) {
  if (seconds < 90) return word("seconds", Math.round(seconds));
  if (seconds < 5400) return word("minutes", Math.round(seconds / 60));
  return seconds < 172800 ? word("hours", Math.round(seconds / 3600)) : word("days", Math.round(seconds / 86400));
}
