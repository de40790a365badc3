// What the page says, in both languages.

export const WORDS = {
  zh: {
    title: "小画家", other: "English", start: "选一只小动物,开始画画吧!", paint: "画!", surprise: "随便画", save: "保存",
    animals: "小动物", features: "样子", places: "地方", steps: "三步", chosen: "选好的", typed: "也可以说一说",
    go: "画", painting: "正在画……", remove: (name) => `去掉${name}`, most: "最多选两样。", head: "它有什么", colors: "它的颜色",
    away: "小画家休息了,等一会儿再试试。", grown: "请大人先在主页登录。", next: { animals: "想画哪只小动物?", features: "它是什么样子的?选一样或两样。", places: "它在哪里?" },
    ready: "选好啦,点“画”!", example: "例如:穿雨靴的小猫 在海边",
  },
  en: {
    title: "Little painter", other: "中文", start: "Pick an animal and let's paint!", paint: "Paint!", surprise: "Surprise", save: "Save",
    animals: "Animals", features: "Things", places: "Places", steps: "Three steps", chosen: "What you picked", typed: "Or write it",
    go: "Go", painting: "Painting…", remove: (name) => `Take away ${name}`, most: "Two things at most.", head: "What it has", colors: "Its colour",
    away: "The painter is having a rest. Try again soon.", grown: "Ask a grown-up to log in on the main page first.", next: { animals: "Which animal shall I paint?", features: "What does it have? Pick one or two.", places: "Where is it?" },
    ready: "All picked. Press Paint!", example: "For example: a cat with rain boots at the beach",
  },
};
